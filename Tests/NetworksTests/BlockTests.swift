import Conformance
import Foundation
import Kernels
import Layers
import Networks
import Tensors
import TestSupport
import Testing

/// The blocks of `--block`, against PyTorch (experiments/peers/make_block_fixture.py) and with every kernel.
struct BlockTests {
  struct Fact: Decodable, Sendable, CustomTestStringConvertible {
    let block, conv: String
    let logits: [Double]
    let step: PyTorchTests.Facts.Gradients
    var testDescription: String { "\(block) \(conv)" }

    private enum Key: String, CodingKey { case block, conv, logits }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      block = try values.decode(String.self, forKey: .block)
      conv = try values.decode(String.self, forKey: .conv)
      logits = try values.decode([Double].self, forKey: .logits)
      step = try PyTorchTests.Facts.Gradients(from: decoder)
    }
  }

  static let facts: [Fact] = {
    guard let url = Bundle.module.url(forResource: "Fixtures/blocks", withExtension: "json"),
      let data = try? Data(contentsOf: url)
    else { return [] }
    return (try? JSONDecoder().decode([Fact].self, from: data)) ?? []
  }()

  static let blocks = ResidualDescription.Block.allCases.filter(\.isChosen)

  private func network(
    _ block: ResidualDescription.Block, _ conv: String, width: Double = 0.25,
    _ change: (inout ModelSettings) -> Void = { _ in }
  ) throws -> Network {
    var settings = ModelSettings()
    settings.block = block
    settings.width = width
    change(&settings)
    let registry = KernelRegistry.builtIn
    return try Network(
      settings.description("bottleneck20", inputChannels: 3, classes: 10), kernel: registry.choice(conv),
      standard: registry.choice("standard"), seed: 1)
  }

  @Test func fixturesAreThere() {
    #expect(Set(Self.facts.map(\.block)) == Set(Self.blocks.map(\.rawValue)))
  }

  /// Single precision rounds each of 20 layers' sums by about 1e-7 of their size. In inference, RepVGG's are merged.
  @Test(arguments: facts) func networksArePyTorchs(_ fact: Fact) throws {
    let network = try network(#require(.init(rawValue: fact.block)), fact.conv)
    fill(network)
    let images = PyTorchTests.images(fact.step.shape, fact.step.images)
    let logits = network.forward(images, Context(training: false, threads: 2)).values
    let largest = fact.logits.map(abs).max() ?? 0
    #expect(logits.count == fact.logits.count)
    for (own, theirs) in zip(logits, fact.logits) { #expect(abs(Double(own) - theirs) <= 1e-5 * largest) }
    // Gradients are divided by deviations of batches of as few as 24 values.
    try fact.step.check(network, tolerance: 1e-3)
  }

  /// Each kernel, in each block: a step in training, counts that add up, merged inference and a file for ONNX.
  @Test(arguments: KernelRegistry.builtIn.kernels.map(\.name))
  func everyKernelStandsInEveryBlock(_ kernel: String) throws {
    let image = FeatureShape(batch: 2, height: 8, width: 10, channels: 3)
    var random = Random(seed: 4)
    let images = Tensor(normal: image.extents, using: &random)
    for block in Self.blocks {
      let network = try network(block, kernel)
      let logits = network.forward(images, Context(training: true, threads: 1))
      _ = network.backward(logits, Context(training: true, threads: 1))
      #expect(network.parameters.allSatisfy { $0.parameter.gradient != nil })
      let rows = try network.summaries(for: image), total = rows.reduce(Cost()) { $0 + $1.cost }
      #expect(try total == network.cost(for: image, pass: .inference))
      #expect(total.parameters == network.parameterCount)
      #expect(rows.count { $0.kernel == kernel } >= (kernel == "standard" ? 6 : 1))
      #expect(try network.onnx(for: image).count > 4 * network.parameterCount)
    }
  }

  /// Plain convolutions side by side are one in inference, within rounding; there is no such convolution of other kernels.
  @Test(arguments: ["standard", "dilated", "standardized", "adder", "binary", "depthwise"])
  func plainBranchesAreMerged(_ kernel: String) throws {
    let image = FeatureShape(batch: 1, height: 9, width: 8, channels: 3)
    let network = try network(.repVGG, kernel)
    fill(network)
    var random = Random(seed: 5)
    let images = Tensor(normal: image.extents, using: &random)
    let own = network.forward(images, Context(training: false, threads: 1)).values
    let parameters = network.parameters.map { Tensor64($0.parameter.value) }
    let definition = network.definition(Tensor64(images), parameters, training: false).values
    let largest = definition.map(abs).max() ?? 0
    for (own, wanted) in zip(own, definition) { #expect(abs(Double(own) - wanted) <= 1e-5 * largest) }
    let merged = try network.summaries(for: image).filter { $0.forms != nil }
    #expect(merged.count == (["standard", "dilated", "standardized"].contains(kernel) ? 6 : 0))
    for row in merged {
      let forms = try #require(row.forms)
      #expect(forms.merged.parameters < forms.branches.parameters && row.kernel == kernel)
    }
  }

  /// ConvNeXt's blocks start as identities but for a millionth; zero-init makes that exact.
  @Test func startsAreTheirs() throws {
    func images(_ block: ResidualDescription.Block, _ change: (inout ModelSettings) -> Void) throws -> [Float]
    {
      let network = try network(block, "standard", change)
      return network.parameters.filter {
        $0.name.hasSuffix("scale.weight") || $0.name.hasSuffix("bn3.weight")
      }
      .flatMap(\.parameter.value.values)
    }
    #expect(try images(.convNeXt) { _ in } == Array(repeating: 1e-6, count: 2 * (4 + 8 + 16)))
    for block in [ResidualDescription.Block.convNeXt, .invertedResidual] {
      #expect(try images(block) { $0.zeroInit = true } == Array(repeating: 0, count: 2 * (4 + 8 + 16)))
    }
  }

  /// What does not fit is refused; what does changes the counts as the papers' formulas say.
  @Test func variationsAreTheBlocks() throws {
    #expect(throws: WorkbenchError.self) { try network(.repVGG, "standard") { $0.zeroInit = true } }
    #expect(throws: WorkbenchError.self) { try network(.repVGG, "standard") { $0.expansion = 2 } }
    #expect(throws: WorkbenchError.self) { try network(.convNeXt, "standard") { $0.shortcut = .padding } }
    #expect(throws: WorkbenchError.self) { try network(.convNeXt, "standard") { $0.strideOn = .first } }
    var settings = ModelSettings()
    settings.block = .convNeXt
    for model in ["resnet20", "resnet50", "mobilenet_v2"] {
      #expect(throws: WorkbenchError.self) { try settings.description(model, inputChannels: 3, classes: 10) }
    }
    settings.block = .bottleneck
    #expect(settings.notes.isEmpty)
    let plain = try network(.convNeXt, "standard") { $0.shortcut = ResidualDescription.Shortcut.none }
    #expect(!plain.parameters.contains { $0.name.contains("scale") })
    // Of each 1×1 pair inside: 2 · 2 · width² weights and 2 · width biases less.
    func count(_ expansion: Int?) throws -> Int {
      try network(.convNeXt, "standard", width: 1) { $0.expansion = expansion }.parameterCount
    }
    let widths = [16, 16, 32, 32, 64, 64]
    #expect(try count(nil) - count(2) == widths.reduce(0) { $0 + 4 * $1 * $1 + 2 * $1 })
    #expect(try network(.invertedResidual, "standard").metadata["block"] == "inverted-residual")
    #expect(try network(.bottleneck, "standard").metadata["block"] == "")
  }

  /// A stage's stride that becomes dilation leaves the map's size; odd sizes are taken.
  @Test(arguments: blocks) func stagesCanBeDilated(_ block: ResidualDescription.Block) throws {
    let image = FeatureShape(batch: 1, height: 13, width: 16, channels: 3)
    let rows = try network(block, "standard") { $0.dilateStages = [3] }.summaries(for: image)
    let last = try #require(rows.last { $0.name.hasPrefix("layer3") }).output
    #expect(last.width == 8 && last.height == (block == .convNeXt ? 6 : 7))
  }
}
