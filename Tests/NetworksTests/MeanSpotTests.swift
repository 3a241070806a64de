import Kernels
import Layers
import Networks
import TestSupport
import Tensors
import Testing

/// A network of several inputs, whole, against its plain definition in double precision.
struct MeanSpotTests {
  private func network(_ model: String) throws -> Network {
    let standard = try KernelRegistry.builtIn.choice("standard")
    let network = try Network(
      Models.description(model, inputChannels: 3, classes: 1), kernel: standard, standard: standard, seed: 0)
    fill(network)
    return network
  }

  private func images() -> Tensor {
    var random = Random(seed: 3)
    return Tensor(normal: [2, 42, 42, 3], using: &random)
  }

  /// Sums of at most 350 products in single precision: 1e-5 of the outputs' size is some ten roundings.
  @Test(arguments: ["mean_spot", "mean_spot_cbam"], [false, true])
  func agreesWithItsReference(_ model: String, _ training: Bool) throws {
    let network = try network(model), x = images()
    let expected = network.reference(
      Tensor64(x), network.parameters.map { Tensor64($0.parameter.value) }, training: training)
    let y = network.forward(x, Context(training: training, threads: 2))
    let largest = expected.values.map(abs).max() ?? 0
    for (own, reference) in zip(y.values, expected.values) {
      #expect(abs(Double(own) - reference) <= 1e-5 * largest)
    }
  }

  /// Derivatives of the sum of the outputs, by central differences of the reference. The network is smooth but for the
  /// poolings' choices, which a step of 1e-6 does not change here. Gradients pass through batch statistics of 2,888
  /// values in single precision: a thousandth of each array's largest is allowed.
  @Test(arguments: ["mean_spot", "mean_spot_cbam"]) func gradientsAreDerivatives(_ model: String) throws {
    let network = try network(model), x = images(), context = Context(training: true, threads: 2)
    let y = network.forward(x, context)
    let toInput = network.backward(Tensor(repeating: 1, y.shape), context)
    var arrays = [Tensor64(x)] + network.parameters.map { Tensor64($0.parameter.value) }
    let gradients = try [toInput] + network.parameters.map { try #require($0.parameter.gradient) }
    func sum() -> Double {
      network.reference(arrays[0], Array(arrays.dropFirst()), training: true).values.reduce(0, +)
    }
    let names = ["input"] + network.parameters.map(\.name)
    for array in arrays.indices {
      let largest = Double(gradients[array].values.map(abs).max() ?? 0)
      let count = arrays[array].values.count
      for index in Set([0, count / 2, count - 1]) {
        let value = arrays[array].values[index], step = 1e-6
        arrays[array].values[index] = value + step
        let above = sum()
        arrays[array].values[index] = value - step
        let below = sum()
        arrays[array].values[index] = value
        // A bias in front of a normalisation changes nothing: 1e-5 is the rounding of thousands of terms that cancel.
        let derivative = (above - below) / (2 * step)
        let own = Double(gradients[array].values[index])
        #expect(abs(own - derivative) <= 1e-3 * largest + 1e-5, "\(names[array]) \(index)")
      }
    }
  }
}
