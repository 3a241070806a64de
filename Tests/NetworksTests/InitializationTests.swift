import Foundation
import Kernels
import Layers
import Networks
import Tensors
import Testing

/// Initial weights by `--init`, against torch.nn.init (experiments/peers/make_init_fixture.py).
struct InitializationTests {
  struct Fact: Decodable, Sendable, CustomTestStringConvertible {
    let item: String
    let shape: [Int]
    let deviation, largest: Double
    let gram: Double?
    var testDescription: String { "\(item) \(shape)" }
    /// HWIO.
    var memoryShape: [Int] {
      shape.count == 2 ? [1, 1, shape[1], shape[0]] : [shape[2], shape[3], shape[1], shape[0]]
    }
  }

  static let facts: [Fact] = {
    guard let url = Bundle.module.url(forResource: "Fixtures/init", withExtension: "json"),
      let data = try? Data(contentsOf: url), let facts = try? JSONDecoder().decode([Fact].self, from: data)
    else { return [] }
    return facts
  }()

  private func rule(_ item: String) throws -> Initialization {
    try #require(try InitializationScheme.chosen(item)).rule
  }

  @Test func fixturesAreThere() {
    #expect(Self.facts.count == 65)
    let named = Set(Self.facts.map { String($0.item.prefix { $0 != ":" }) })
    #expect(named == Set(InitializationScheme.all.map(\.name)))
  }

  /// Two draws of at least 28,672 values (of the linear layer 30,000): the standard error of each one's deviation is
  /// 1/√(2n) = 0.42 % of it if normal, less if bounded, so that their difference stays within five of its own, 3 %. The
  /// fans of these shapes differ by 14 % or more in the deviation they give.
  @Test(arguments: facts) func drawsAreAsPyTorchs(_ fact: Fact) throws {
    var random = Random(seed: 1)
    let values = try rule(fact.item).weights(fact.memoryShape, using: &random).values.map(Double.init)
    #expect(values.count == fact.shape.reduce(1, *))
    let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
    #expect(abs(deviation - fact.deviation) <= 0.03 * fact.deviation)
    let mean = values.reduce(0, +) / Double(values.count)
    #expect(abs(mean) <= 5 * deviation / Double(values.count).squareRoot())
    // Where there is a bound, both come within a hundredth of it.
    let isBounded = ["uniform", "pytorch", "truncated"].contains { fact.item.contains($0) }
    if isBounded {
      let largest = values.reduce(0) { max($0, abs($1)) }
      #expect(abs(largest - fact.largest) <= 0.02 * fact.largest)
    }
  }

  /// Of 3×3 windows with 192 outputs and, in each of some groups, 24 inputs: fans of 216 and 1,728.
  static let formulas: [(item: String, variance: Double)] = [
    ("he", 2 / 216), ("he:fan=out", 2 / 1728), ("he:gain=1", 1 / 216),
    ("he:fan=out:distribution=uniform:gain=3", 9 / 1728), ("xavier", 2 / 1944),
    ("xavier:gain=2:distribution=uniform", 8 / 1944), ("pytorch", 1 / 648), ("normal:deviation=0.5", 0.25),
    ("uniform:bound=3", 3),
  ]

  /// Five standard errors, 2.2 %, of one draw.
  @Test(arguments: formulas) func variancesAreTheFormulas(_ item: String, _ variance: Double) throws {
    var random = Random(seed: 2)
    let values = try rule(item).weights([3, 3, 24, 192], using: &random).values.map(Double.init)
    let found = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    #expect(abs((found / variance).squareRoot() - 1) <= 0.022)
  }

  /// Outputs, or inputs where they are fewer, are orthonormal but for the rounding to single precision.
  @Test(arguments: [[3, 3, 4, 20], [1, 1, 30, 10], [1, 1, 10, 30], [2, 1, 3, 6]])
  func orthogonalIsOrthonormal(_ shape: [Int]) throws {
    var random = Random(seed: 3)
    let weight = try rule("orthogonal:gain=2").weights(shape, using: &random)
    let outputs = shape[3], inputs = shape[0] * shape[1] * shape[2], count = min(inputs, outputs)
    func value(_ vector: Int, _ index: Int) -> Double {
      Double(inputs >= outputs ? weight[index * outputs + vector] : weight[vector * outputs + index])
    }
    for a in 0..<count {
      for b in 0..<count {
        let product = (0..<max(inputs, outputs)).reduce(0.0) { $0 + value(a, $1) * value(b, $1) }
        #expect(abs(product - (a == b ? 4 : 0)) < 1e-5)
      }
    }
  }

  private func network(_ conv: String, _ item: String, model: String = "bottleneck20", seed: UInt64 = 0)
    throws
    -> Network
  {
    var description = try Models.description(model, inputChannels: 3, classes: 10)
    description.initialization = try InitializationScheme.chosen(item)
    let registry = KernelRegistry.builtIn
    return try Network(
      description, kernel: registry.choice(conv), standard: registry.choice("standard"), seed: seed)
  }

  private func values(_ network: Network) -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0.parameter.value) })
  }

  /// What multiplies an input gets new values; adders, positions, biases, normalisations keep theirs.
  @Test(arguments: [
    "standard", "adder", "max-plus", "deformable-v2", "squeeze-excite", "active", "shift", "non-local",
  ])
  func weightsThatMultiplyAreDrawn(_ conv: String) throws {
    let own = try values(network(conv, "default")), drawn = try values(network(conv, "uniform:bound=5"))
    #expect(Set(own.keys) == Set(drawn.keys))
    for (name, value) in drawn {
      let parts = name.split(separator: ".")
      let isKept =
        value.shape.count == 1 || parts.contains("offset")
        || ["adder", "max-plus"].contains(conv) && name.hasSuffix("conv2.weight") && name.hasPrefix("layer")
      #expect((value == own[name]) == isKept, "\(name)")
      // Values over 4 are a fifth of all.
      if !isKept { #expect(value.values.contains { abs($0) > 4 }, "\(name)") }
    }
    #expect(drawn.keys.contains { $0.contains("offset") } == ["deformable-v2", "active"].contains(conv))
  }

  /// Two kernels start with the same weights everywhere else, two seeds with others, the same seed with the same.
  @Test func drawsDependOnSeedAndName() throws {
    let a = try values(network("standard", "orthogonal")), b = try values(network("dilated", "orthogonal"))
    #expect(a == (try values(network("standard", "orthogonal"))))
    #expect(a == b)
    let other = try values(network("standard", "orthogonal", seed: 1))
    #expect(a["conv1.weight"] != other["conv1.weight"] && a["fc.weight"] != other["fc.weight"])
    #expect(a["layer1.0.conv1.weight"] != a["layer1.1.conv1.weight"])
  }

  /// Rules of a model's own, such as GoogLeNet's, give way too.
  @Test func modelsRulesGiveWay() throws {
    let drawn = try values(network("standard", "zeros", model: "squeezenet1_1"))
    #expect(drawn.filter { $0.value.shape.count == 4 }.allSatisfy { $0.value.values.allSatisfy { $0 == 0 } })
    #expect(try network("standard", "default").model.initialization == nil)
  }

  @Test func itemsAreCanonical() throws {
    for (item, canonical) in [
      "he": "he", "he:fan=in": "he", "he:distribution=uniform:fan=out": "he:fan=out:distribution=uniform",
      "xavier:gain=1": "xavier", "normal:deviation=0.01": "normal",
      "normal:deviation=1": "normal:deviation=1",
    ] {
      #expect(try InitializationScheme.chosen(item)?.item == canonical)
    }
    for (item, words) in [
      "hee": "There is no initialisation ‘hee’; did you mean ‘he’?",
      "glorot": "There is no initialisation ‘glorot’; choose from default, he, xavier",
      "he:fann=in": "he takes no option ‘fann’",
      "he:fan=average": "The option fan of he cannot be ‘average’; it takes in or out.",
      "normal:deviation=-1":
        "The option deviation of normal cannot be ‘-1’; it takes a number from 0 to 1000.",
      "normal:deviation=nan": "cannot be ‘nan’", "zeros:gain=1": "zeros takes no option ‘gain’; it has none.",
      "he:fan": "‘fan’ in ‘he:fan’", "": "There is no initialisation ‘’", "he:": "‘’ in ‘he:’",
    ] {
      let error = #expect(throws: WorkbenchError.self) { try InitializationScheme.chosen(item) }
      #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
  }
}
