import Foundation
import Kernels
import Layers
import Networks
import Tensors
import TestSupport
import Testing

@testable import Learning

/// Zero-cost proxies against PyTorch in double precision (experiments/peers/compare_proxies.py), and for every kernel.
struct ProxyTests {
  /// A network, and its proxies by autograd.
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let model, item: String
    let seed: UInt64
    let images: Int
    let values: [String: Double]
    var testDescription: String { "\(model), \(item), seed \(seed)" }
  }

  static let cases: [Case] = {
    guard let url = Bundle.module.url(forResource: "Fixtures/proxies", withExtension: "json"),
      let data = try? Data(contentsOf: url)
    else { return [] }
    return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
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

  /// Minibatches of random images, as `fixture_case` in compare_proxies.py.
  private func batches(of test: Case) throws -> [Minibatch] {
    var random = Random(seed: test.seed).split("images")
    let images = Tensor(uniform: [4 * test.images, 1, 8, 8], in: -1..<1, using: &random)
    let labels = (0..<4 * test.images).map { (3 * $0 + Int(test.seed)) % 10 }
    return try (0..<4).map { batch in
      let own = batch * test.images..<(batch + 1) * test.images
      let values = Array(images.values[64 * own.lowerBound..<64 * own.upperBound])
      let examples = try Examples(
        images: Tensor(values, [test.images, 8, 8, 1]), labels: Array(labels[own]), classes: 10, source: "")
      return Minibatch.draw(1, of: test.images, from: examples, random: nil)[0]
    }
  }

  @Test func fixturesAreThere() {
    let found = Self.cases.filter { $0.values[Proxy.grasp.rawValue] != nil }
    #expect(Set(found.filter { $0.model == "bottleneck20" }.map(\.item)).count >= 20)
    #expect(Set(found.map(\.seed)).count >= 3)
  }

  /// Initial weights of all kernels, other weights, and images, as PyTorch has them in double precision.
  ///
  /// Single precision and the order of sums, which depends on the instruction set, leave 1e-6 to 1e-4 in gradients: a
  /// thousandth is what the proxies are asked to agree to, GraSP, a difference of gradients that nearly cancel, to two. A
  /// ReLU more or less moves NASWOT by less than 1e-5. Zen-scores are logarithms of sums, without gradients: 1e-5 tells the
  /// population's variance from the unbiased one (7e-4). GraSP may be missing where single precision is too noisy for it, in
  /// one case of seven at most.
  @Test func valuesArePyTorchs() throws {
    var missing = 0
    for test in Self.cases {
      let network = try network(test.model, test.item)
      fill(network, seed: test.seed)
      let wanted = Dictionary(
        uniqueKeysWithValues: test.values.compactMap { name, value in
          Proxy(rawValue: name).map { ($0, value) }
        })
      let found = try Proxies.evaluate(
        network, plain: self.network(test.model, test.item, isPlain: true), batches: batches(of: test),
        chosen: Array(wanted.keys), threads: 2)
      for (proxy, value) in wanted {
        guard let own = found.values[proxy] else {
          missing += 1
          #expect(proxy == .grasp && found.note.contains("too noisy"), "\(test), \(proxy): \(found.note)")
          continue
        }
        let tolerance = [.grasp: 2e-3, .naswot: 1e-5, .zen: 1e-5, .zenPublished: 1e-5][proxy] ?? 1e-3
        #expect(abs(own - value) <= tolerance * abs(value), "\(test), \(proxy): \(own), not \(value)")
      }
    }
    #expect(7 * missing <= Self.cases.count, "GraSP is missing in \(missing) of \(Self.cases.count) cases")
  }

  /// Every kernel has every proxy, but for SynFlow where there are adders, or where weights that an input makes multiply
  /// it, so that values outgrow single precision, and for GraSP where either leaves its differences too noisy; the network is
  /// as it was afterwards.
  @Test(arguments: KernelRegistry.builtIn.kernels.map(\.name) + ["deformable:combine=adder"])
  func everyKernelHasThem(_ item: String) throws {
    let network = try network("bottleneck20", item)
    let before = network.state.map(\.parameter.value)
    let found = try Proxies.evaluate(
      network, plain: self.network("bottleneck20", item, isPlain: true), batches: batches(2, of: 16),
      threads: 2)
    #expect(network.state.map(\.parameter.value) == before)
    let families: [KernelFamily] = [.attention, .imageWeights]
    let makesWeights = families.contains(try KernelRegistry.builtIn.choice(item).kernel.family)
    let hasAdders = network.parameters.contains { $0.parameter.rule == .adder }
    let isRefused = hasAdders || makesWeights && found.reasons[.synflow]?.contains("exceed") == true
    let isNoisy = (hasAdders || makesWeights) && found.reasons[.grasp]?.contains("too noisy") == true
    let refused = (isRefused ? [Proxy.synflow] : []) + (isNoisy ? [.grasp] : [])
    #expect(Set(found.reasons.keys) == Set(refused), "\(found.note)")
    #expect(found.values.count + found.reasons.count == Proxy.standard.count)
    #expect(found.note.isEmpty == refused.isEmpty)
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

  /// Two channels of a convolution's output and the ReLUs after them; a kernel that consists of several layers is one.
  @Test func observersSeeLayersAndReLUs() throws {
    let network = try network("bottleneck20", "small-stack")
    var kernels = 0, reLUs = 0, gradients = 0
    var context = Context(training: true, threads: 1)
    context.observer = Observer(
      ran: { run in
        if run.layer is any KernelLayer { kernels += 1 }
        #expect(run.output.shape.count == 4)
      }, rectified: { _, _ in reLUs += 1 },
      gradient: { layer, _ in if layer is any KernelLayer { gradients += 1 } })
    let logits = network.forward(Tensor(repeating: 1, [2, 8, 8, 1]), context)
    _ = network.backward(logits, context)
    // The stem, six blocks of three, and three shortcuts; a ReLU after each but these, and one inside each stack.
    #expect(kernels == 1 + 18 + 3 && gradients == kernels)
    #expect(reLUs == 1 + 18 + 6)
  }

  /// What a layer from outside does that says nothing of its decisions, and runs its ReLU on twice the images.
  private final class Doubled: Defined {
    private let relu = ReLU()

    func outputShape(for input: FeatureShape) -> FeatureShape { input }
    func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost { Cost() }
    private func doubled(_ x: Tensor) -> Tensor {
      Tensor(x.values + x.values, [2 * x.shape[0]] + x.shape.dropFirst())
    }
    private func halved(_ x: Tensor) -> Tensor {
      Tensor(Array(x.values.prefix(x.count / 2)), [x.shape[0] / 2] + x.shape.dropFirst())
    }
    func forward(_ input: Tensor, _ context: Context) -> Tensor {
      halved(relu.forward(doubled(input), context))
    }
    func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
      input.total(halved(relu.backward(doubled(gradient), context)), threads: context.threads)
    }
    func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
      input.map { max($0, 0) }
    }
  }

  @Test func layersThatMightDecideAreRefused() throws {
    var random = Random(seed: 1)
    let network = Sequential([
      ("flatten", Flatten()), ("doubled", Doubled()),
      ("fc", Linear(inputs: 64, outputs: 10, random: &random)),
    ])
    let found = try Proxies.evaluate(
      network, batches: batches(1, of: 8), chosen: [.grasp, .naswot, .snip], threads: 1)
    #expect(found.values[.snip] != nil)
    #expect(
      found.reasons[.grasp]?.hasPrefix("Doubled does not support fixed decisions") == true, "\(found.note)")
    #expect(found.reasons[.naswot]?.hasPrefix("ReLU changes the number of images") == true, "\(found.note)")
  }

  /// Of a function that is known, with the noise of single precision, and of one that has a jump.
  @Test func derivativesKnowTheirError() {
    for factor in [1.0, 7, 40] {
      let smooth = Derivative(of: { exp(factor * $0) * (1 + 1e-7 * cos(1e5 * $0)) }, tolerance: 1e-5)
      #expect(abs(smooth.value - factor) < 1e-3 * factor && smooth.error < 1e-3 * factor)
    }
    // Noise of a thousandth: a single difference is no better than that, and says so; eight are better.
    var random = Random(seed: 1)
    func noisy(_ t: Double) -> Double { t + 1e-3 * Double(Float.random(in: -1...1, using: &random)) }
    for _ in 0..<20 {
      let one = Derivative(of: noisy, tolerance: 1e-5),
        eight = Derivative(of: noisy, samples: 8, tolerance: 1e-5)
      #expect(abs(one.value - 1) < 10 * one.error && one.error > 1e-4)
      #expect(abs(eight.value - 1) < 10 * eight.error)
    }
    let jump = Derivative(of: { $0 + ($0 > 0.003 ? 0.1 : 0) }, tolerance: 1e-5)
    #expect(abs(jump.value - 1) <= jump.error)
  }
}
