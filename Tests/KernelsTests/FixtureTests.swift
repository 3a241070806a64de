import Foundation
import Kernels
import Layers
import Tensors
import TestSupport
import Testing

/// The operators against facts computed by PyTorch, torchvision and NumPy (experiments/peers/make_fixtures.py).
struct FixtureTests {
  struct Stored: Decodable, Sendable {
    let shape: [Int]
    let values: [Double]

    func tensor(_ layout: TensorLayout) -> Tensor {
      Tensor(values.map { Float($0) }, shape).fromFileOrder(layout)
    }
  }

  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let name, kernel: String
    let stride, padding, dilation: [Int]
    let groups: Int
    let input, output, gradOutput, gradInput: Stored
    let weight, bias, offset, mask, gradWeight, gradBias, gradOffset, gradMask: Stored?

    var testDescription: String { name }
  }

  static let cases: [Case] = {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let url = Bundle.module.url(forResource: "Fixtures/operators", withExtension: "json"),
      let data = try? Data(contentsOf: url), let cases = try? decoder.decode([Case].self, from: data)
    else { return [] }
    return cases
  }()

  @Test func fixturesAreThere() { #expect(Self.cases.count == 28) }

  /// The facts are float64 rounded to eight digits. Single precision sums of at most some hundred terms stay
  /// within 2e-6 of the largest value; the operators' own contract is 1e-4.
  @Test(arguments: cases) func agrees(_ test: Case) throws {
    let items = test.kernel == "standard" ? ["standard", "fft"] : [test.kernel]
    for item in items {
      let choice = try KernelRegistry.builtIn.choice(item)
      let x = test.input.tensor(.features)
      let operands = Operands(
        weight: test.weight?.tensor(.convolution), bias: test.bias?.tensor(.plain),
        offset: test.offset?.tensor(.features), mask: test.mask?.tensor(.features))
      for algorithm in choice.kernel.algorithms {
        let p = test.padding
        let request = OperatorRequest(
          inputChannels: x.shape[3], operands: operands, options: choice.options,
          stride: Pair(test.stride[0], test.stride[1]),
          padding: Padding(top: p[0], left: p[1], bottom: p[2], right: p[3]),
          dilation: Pair(test.dilation[0], test.dilation[1]), groups: test.groups, algorithm: algorithm)
        var site = try choice.kernel.site(for: request)
        site.algorithm = nil
        let free = try choice.kernel.makeLayer(site) as? any ChoosesAlgorithm
        if free?.refusal(of: algorithm, for: FeatureShape(x)) != nil {
          #expect(!["direct", "reference"].contains(algorithm), "\(algorithm) refuses \(test.name)")
          continue
        }
        site.algorithm = algorithm
        let layer = try #require(choice.kernel.makeLayer(site) as? any TakesOperands)
        try layer.bind(operands)
        _ = try layer.outputShape(for: FeatureShape(x))
        let context = Context(training: true, threads: 2)
        compare(layer.forward(x, context), test.output, .features, "output by \(algorithm)")
        compare(layer.backward(test.gradOutput.tensor(.features), context), test.gradInput, .features, "dx")
        let gradients = layer.operandGradients
        compare(gradients.weight, test.gradWeight, .convolution, "dw")
        compare(gradients.bias, test.gradBias, .plain, "db")
        compare(gradients.offset, test.gradOffset, .features, "d offset")
        compare(gradients.mask, test.gradMask, .features, "d mask")
      }
    }
  }

  private func compare(_ found: Tensor?, _ wanted: Stored?, _ layout: TensorLayout, _ what: String) {
    guard let wanted else { return }
    guard let found = found?.toFileOrder(layout), found.shape == wanted.shape else {
      Issue.record("\(what): shape \(found?.shape ?? []), not \(wanted.shape)")
      return
    }
    let deviation = Deviation(of: found.values, from: wanted.values)
    #expect(deviation.isWithin(2e-6), "\(what) is \(deviation)")
  }
}
