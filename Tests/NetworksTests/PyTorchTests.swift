import Foundation
import Kernels
import Layers
import Networks
import Tensors
import TestSupport
import Testing

/// Whole networks against torchvision's and timm's (experiments/peers/make_network_fixtures.py).
struct PyTorchTests {
  struct Facts: Decodable, Sendable {
    struct Logits: Decodable, Sendable, CustomTestStringConvertible {
      let model: String
      let shape: [Int]
      let logits: [Double]
      var testDescription: String { "\(model) \(shape)" }
    }
    struct Gradients: Decodable, Sendable {
      struct Gradient: Decodable, Sendable {
        let norm: Double
        let samples: [Double]
      }
      let images: String
      let shape, labels: [Int]
      let gradients: [String: Gradient]
    }
    let logits: [Logits]
    let state: [String: [String: [Int]]]
    let gradients: Gradients
  }

  static let facts: Facts? = {
    guard let url = Bundle.module.url(forResource: "Fixtures/networks", withExtension: "json"),
      let data = try? Data(contentsOf: url)
    else { return nil }
    return try? JSONDecoder().decode(Facts.self, from: data)
  }()

  private func network(_ model: String) throws -> Network {
    let network = try Network(
      Models.description(model, inputChannels: 3, classes: 10),
      kernel: KernelRegistry.builtIn.choice("standard"),
      standard: KernelRegistry.builtIn.choice("standard"), seed: 0)
    fill(network)
    return network
  }

  static func images(_ shape: [Int], _ label: String = "images") -> Tensor {
    var random = Random(seed: 0).split(label)
    return Tensor(uniform: shape, in: -1..<1, using: &random).fromFileOrder(.features)
  }

  @Test func fixturesAreThere() throws { #expect(try #require(Self.facts).logits.count == 26) }

  /// Single precision rounds each of up to 152 layers' sums by about 1e-7 of their size; 1e-4 is far above that.
  /// Of more than 256 logits, those of pixels, the file has as many, equally far apart.
  @Test(arguments: facts?.logits ?? []) func logitsAreTorchvisions(_ fact: Facts.Logits) throws {
    let all = try network(fact.model).forward(Self.images(fact.shape), Context(training: false, threads: 2))
      .toFileOrder(.features).values
    let count = min(all.count, 256)
    let logits = (0..<count).map { all[all.count * $0 / count] }
    let largest = fact.logits.map(abs).max() ?? 0
    #expect(logits.count == fact.logits.count)
    for (own, theirs) in zip(logits, fact.logits) { #expect(abs(Double(own) - theirs) <= 1e-4 * largest) }
  }

  /// Files of weights fit, name for name.
  @Test(arguments: facts?.state.keys.sorted() ?? []) func statesAreTheirs(_ model: String) throws {
    let standard = try KernelRegistry.builtIn.choice("standard")
    let network = try Network(
      Models.description(model, inputChannels: 3, classes: Models.classes(model)), kernel: standard,
      standard: standard, seed: 0)
    let own = Dictionary(
      uniqueKeysWithValues: network.state.map {
        ($0.name, $0.parameter.layout.fileShape($0.parameter.value.shape))
      })
    #expect(own == Self.facts?.state[model])
  }

  /// Gradients pass through batch statistics and 18 layers in single precision: a thousandth of each array's size is
  /// allowed. The images are such that no ReLU's input lies within rounding of zero.
  @Test func gradientsAreTorchvisions() throws {
    try #require(Self.facts).gradients.check(network("resnet18"), tolerance: 1e-3)
  }
}

extension PyTorchTests.Facts.Gradients {
  /// Takes a step in training of cross-entropy, and compares all parameters' gradients, within a share of each array's size.
  func check(_ network: Network, tolerance: Double) throws {
    let context = Context(training: true, threads: 2), classes = network.model.classes
    let logits = network.forward(PyTorchTests.images(shape, images), context)
    // Cross-entropy: (softmax − target) / batch.
    var gradient = logits
    for (image, label) in labels.enumerated() {
      let row = (0..<classes).map { Double(logits[classes * image + $0]) }, largest = row.max() ?? 0
      let sum = row.reduce(0) { $0 + exp($1 - largest) }
      for (index, value) in row.enumerated() {
        gradient[classes * image + index] =
          Float((exp(value - largest) / sum - (index == label ? 1 : 0)) / Double(labels.count))
      }
    }
    _ = network.backward(gradient, context)
    #expect(Set(network.parameters.map(\.name)) == Set(gradients.keys))
    let largest = gradients.values.map(\.norm).max() ?? 0
    for (name, parameter) in network.parameters.map({ ($0.name, $0.parameter) }) {
      let theirs = try #require(gradients[name])
      let own = try #require(parameter.gradient).toFileOrder(parameter.layout).values.map(Double.init)
      let norm = own.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // What a normalisation takes out again has no gradient: only its terms' rounding is left, here and there.
      if theirs.norm < 1e-12 * largest {
        #expect(norm <= 1e-5 * largest, "\(name)")
        continue
      }
      #expect(abs(norm - theirs.norm) <= tolerance * theirs.norm, "\(name)")
      // An element's share of the norm, were all equally large.
      let typical = theirs.norm / Double(own.count).squareRoot()
      for (index, sample) in theirs.samples.enumerated() {
        let value = own[own.count * index / 7]
        #expect(abs(value - sample) <= tolerance * max(abs(sample), typical), "\(name) \(index)")
      }
    }
  }
}
