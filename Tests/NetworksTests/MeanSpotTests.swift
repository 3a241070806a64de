import Kernels
import Layers
import Networks
import TestSupport
import Tensors
import Testing

/// A network of several inputs. Its training, dropout included, is compared with PyTorch's in LearningTests.
struct MeanSpotTests {
  /// Sums of at most 392 products in single precision: 1e-5 of the outputs' size is some ten roundings.
  @Test(arguments: ["mean_spot", "mean_spot_cbam"]) func agreesWithItsReference(_ model: String) throws {
    let standard = try KernelRegistry.builtIn.choice("standard")
    let network = try Network(
      Models.description(model, inputChannels: 3, classes: 1), kernel: standard, standard: standard, seed: 0)
    fill(network)
    var random = Random(seed: 3)
    let x = Tensor(normal: [2, 42, 42, 3], using: &random)
    let expected = network.reference(
      Tensor64(x), network.parameters.map { Tensor64($0.parameter.value) }, training: false)
    let y = network.forward(x, Context(training: false, threads: 2))
    let largest = expected.values.map(abs).max() ?? 0
    for (own, reference) in zip(y.values, expected.values) {
      #expect(abs(Double(own) - reference) <= 1e-5 * largest)
    }
  }

  /// Weights start by Keras's rule, Glorot and Bengio's: uniform within ±√(6 / (fan in + fan out)); biases at 0.
  @Test func weightsStartAsKerass() throws {
    let standard = try KernelRegistry.builtIn.choice("standard")
    let network = try Network(
      Models.description("mean_spot", inputChannels: 3, classes: 1), kernel: standard, standard: standard,
      seed: 0)
    let bounds = [
      "conv.weight": (6.0 / (25 * 14 + 25 * 8)).squareRoot(), "fc.weight": (6.0 / 393).squareRoot(),
    ]
    for (name, bound) in bounds {
      let values = try #require(network.parameters.first { $0.name == name }).parameter.value.values
      let largest = Double(values.map(abs).max() ?? 0)
      #expect(largest <= bound && largest > 0.95 * bound, "\(name)")
    }
    for named in network.parameters where named.name.hasSuffix("bias") {
      #expect(named.parameter.value.values.allSatisfy { $0 == 0 }, "\(named.name)")
    }
  }

  /// Branches with inputs of their own: outputs and gradients are those of each on its channels alone.
  @Test func branchesReadTheirOwnChannels() throws {
    let widths = [1, 2, 1], registry = KernelRegistry.builtIn
    let parts = try widths.enumerated().map { index, width in
      let place = try ConvolutionGeometry(
        inputChannels: width, outputChannels: index + 2, kernel: Pair(3), padding: Padding(Pair(1)))
      return try registry.choice("standard").makeLayer(at: place, random: Random(seed: UInt64(index)))
    }
    let branches = Branches(parts.map { ("", $0) }, join: .concatenation, inputs: widths)
    var random = Random(seed: 4)
    let inputs = widths.map { Tensor(normal: [2, 5, 4, $0], using: &random) }
    let gradients = parts.indices.map { Tensor(normal: [2, 5, 4, $0 + 2], using: &random) }
    let context = Context(training: true, threads: 1)
    let y = branches.forward(.concatenated(inputs, threads: 1), context)
    let toInput = branches.backward(.concatenated(gradients, threads: 1), context)
    #expect(y == .concatenated(zip(parts, inputs).map { $0.forward($1, context) }, threads: 1))
    #expect(toInput == .concatenated(zip(parts, gradients).map { $0.backward($1, context) }, threads: 1))
  }
}
