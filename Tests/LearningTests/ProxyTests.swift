import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors
import TestSupport
import Testing

/// Zero-cost proxies against PyTorch in double precision (experiments/peers/compare_proxies.py), and for every kernel.
struct ProxyTests {
  static let facts: [String: Double]? = {
    guard let url = Bundle.module.url(forResource: "Fixtures/proxies", withExtension: "json"),
      let data = try? Data(contentsOf: url)
    else { return nil }
    return try? JSONDecoder().decode([String: Double].self, from: data)
  }()

  private func network(
    _ model: String, _ item: String = "standard", isPlain: Bool = false, seed: UInt64 = 0
  ) throws -> Network {
    var description = try Models.description(model, inputChannels: 1, classes: 10)
    if isPlain { description = description.plain }
    return try Network(
      description, kernel: KernelRegistry.builtIn.choice(item),
      standard: KernelRegistry.builtIn.choice("standard"), seed: seed)
  }

  /// The split is that of the facts.
  private func batches(_ number: Int, of size: Int) throws -> [Minibatch] {
    Minibatch.draw(number, of: size, from: try Dataset.load("digits:split=1437").train, random: nil)
  }

  /// A thousandth is what the proxies are asked to agree to; single precision is a thousand times closer.
  @Test func valuesArePyTorchs() throws {
    let facts = try #require(Self.facts)
    let network = try network("resnet20")
    fill(network)
    let values = try Proxies.evaluate(
      network, plain: self.network("resnet20", isPlain: true), batches: batches(4, of: 32), threads: 2
    ).values
    #expect(values.count == Proxy.allCases.count)
    for proxy in Proxy.allCases {
      let own = try #require(values[proxy]), theirs = try #require(facts[proxy.rawValue])
      #expect(abs(own - theirs) <= 1e-3 * abs(theirs), "\(proxy)")
    }
  }

  /// Its products of weights, 1e125, are far beyond single precision.
  @Test func deepSynFlowIsPyTorchs() throws {
    let network = try network("resnet110")
    fill(network)
    let values = try Proxies.evaluate(
      network, batches: batches(1, of: 2), chosen: [.synflow], threads: 2)
    let theirs = try #require(Self.facts?["synflow of resnet110"])
    #expect(abs(try #require(values.values[.synflow]) - theirs) <= 1e-3 * theirs)
  }

  /// Every kernel has every proxy, but for SynFlow where there are adders; the network is as it was afterwards.
  @Test(arguments: KernelRegistry.builtIn.kernels.map(\.name) + ["deformable:combine=adder"])
  func everyKernelHasThem(_ item: String) throws {
    let network = try network("bottleneck20", item)
    let before = network.state.map(\.parameter.value)
    let found = try Proxies.evaluate(
      network, plain: self.network("bottleneck20", item, isPlain: true), batches: batches(2, of: 16),
      threads: 2)
    #expect(network.state.map(\.parameter.value) == before)
    let hasAdders = network.parameters.contains { $0.parameter.rule == .adder }
    #expect(Set(found.reasons.keys) == (hasAdders ? [.synflow] : []), "\(found.note)")
    #expect(found.values.count + found.reasons.count == Proxy.allCases.count)
    #expect(found.note.isEmpty == !hasAdders)
  }

  @Test func threadsDoNotMatter() throws {
    let network = try network("resnet20", "dilated")
    let batches = try batches(2, of: 16)
    #expect(
      Proxies.evaluate(network, batches: batches, threads: 1)
        == Proxies.evaluate(network, batches: batches, threads: 2))
  }

  /// Weights of offset predictors count: at their start they have gradients, but no size.
  @Test func offsetsCount() throws {
    let batches = try batches(1, of: 16)
    func values(_ item: String) throws -> [Proxy: Double] {
      try Proxies.evaluate(
        network("bottleneck20", item), batches: batches, chosen: [.gradNorm, .snip], threads: 2
      ).values
    }
    let standard = try values("standard"), deformable = try values("deformable")
    #expect(try #require(deformable[.gradNorm]) > 1.05 * (try #require(standard[.gradNorm])))
    // Sampling at whole positions gives the plain convolution, up to rounding.
    let difference = try #require(deformable[.snip]) / (try #require(standard[.snip])) - 1
    #expect(abs(difference) < 1e-4)
  }

  @Test func whatCannotBeComputedIsSaid() throws {
    var twice = try batches(1, of: 2)
    twice[0].images = twice[0].images.reshaped([2, 8, 8, 1])
    let image = Array(twice[0].images.values.prefix(64))
    twice[0].images = Tensor(image + image, [2, 8, 8, 1])
    let found = try Proxies.evaluate(network("resnet20"), batches: twice, threads: 1)
    #expect(Set(found.reasons.keys).isSuperset(of: [.naswot, .zico]), "\(found.note)")
    #expect(found.note.contains("naswot: some images"))
  }

  /// Two channels of a convolution's output and the ReLUs behind them; a kernel that consists of several layers is one.
  @Test func observersSeeLayersAndReLUs() throws {
    let network = try network("bottleneck20", "small-stack")
    var kernels = 0, reLUs = 0, gradients = 0
    var context = Context(training: true, threads: 1)
    context.observer = Observer(
      output: { layer, output in
        if layer is ReLU { reLUs += 1 }
        if layer is any KernelLayer { kernels += 1 }
        #expect(output.shape.count == 4)
      }, gradient: { layer, _ in if layer is any KernelLayer { gradients += 1 } })
    let logits = network.forward(Tensor(repeating: 1, [2, 8, 8, 1]), context)
    _ = network.backward(logits, context)
    // The stem, six blocks of three, and three shortcuts; a ReLU behind each but these, and one inside each stack.
    #expect(kernels == 1 + 18 + 3 && gradients == kernels)
    #expect(reLUs == 1 + 18 + 6)
  }
}
