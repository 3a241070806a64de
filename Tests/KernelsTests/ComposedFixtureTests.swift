import Foundation
import Kernels
import Layers
import Tensors
import TestSupport
import Testing

/// Composed kernels against what PyTorch and torchvision compute (experiments/peers/make_composed_fixtures.py).
struct ComposedFixtureTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let item: String
    let inputs, outputs, kernel, stride: Int
    let input, output, gradOutput, gradInput: FixtureTests.Stored
    let parameters, gradients: [String: FixtureTests.Stored]
    var testDescription: String { item }
  }

  static let cases = read("composed") + read("recent")

  private static func read(_ name: String) -> [Case] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let url = Bundle.module.url(forResource: "Fixtures/\(name)", withExtension: "json"),
      let data = try? Data(contentsOf: url), let cases = try? decoder.decode([Case].self, from: data)
    else { return [] }
    return cases
  }

  @Test func fixturesAreThere() {
    #expect(Self.read("composed").count == 19 && !Self.read("recent").isEmpty)
  }

  /// Facts are float64. Up to seven layers in single precision, each with sums of at most some hundred terms near 1,
  /// stay within 1e-5 of the largest value; the operators' own contract is 1e-4.
  @Test(arguments: cases) func agrees(_ test: Case) throws {
    let place = try ConvolutionGeometry(
      inputChannels: test.inputs, outputChannels: test.outputs, kernel: Pair(test.kernel),
      stride: Pair(test.stride), padding: Padding(Pair(test.kernel / 2)))
    let layer = try KernelRegistry.builtIn.choice(test.item).makeLayer(at: place, random: Random(seed: 0))
    #expect(Set(layer.parameters.map(\.name)) == Set(test.parameters.keys))
    for (name, parameter) in layer.parameters.map({ ($0.name, $0.parameter) }) {
      parameter.value = try #require(test.parameters[name]).tensor(parameter.layout)
    }
    let x = test.input.tensor(.features), context = Context(training: true, threads: 2)
    try compare(layer.forward(x, context), test.output, .features, "output")
    let gradient = layer.backward(test.gradOutput.tensor(.features), context)
    try compare(gradient, test.gradInput, .features, "gradient to the input")
    for (name, parameter) in layer.parameters.map({ ($0.name, $0.parameter) }) {
      try compare(
        #require(parameter.gradient), #require(test.gradients[name]), parameter.layout, "gradient to \(name)")
    }
  }

  private func compare(
    _ found: Tensor, _ wanted: FixtureTests.Stored, _ layout: TensorLayout, _ what: String
  ) throws {
    let found = found.toFileOrder(layout)
    try #require(found.shape == wanted.shape)
    let deviation = Deviation(of: found.values, from: wanted.values)
    #expect(deviation.isWithin(1e-5), "\(what) is \(deviation)")
  }
}
