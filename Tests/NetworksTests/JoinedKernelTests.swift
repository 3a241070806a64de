import Foundation
import Kernels
import Layers
import Networks
import Tensors
import Testing

/// Networks with a kernel for each stage, or for each block.
struct JoinedKernelTests {
  private let image = FeatureShape(batch: 1, height: 8, width: 8, channels: 1)

  private func network(
    _ item: String, _ model: String = "bottleneck20", _ settings: ModelSettings = ModelSettings(),
    algorithm: String? = nil
  ) throws -> Network {
    try Network(
      settings.description(model, inputChannels: 1, classes: 10), kernel: KernelRegistry.builtIn.choice(item),
      standard: KernelRegistry.builtIn.choice("standard"), algorithm: algorithm, seed: 3)
  }

  private func kernels(_ network: Network) throws -> [String: String] {
    let rows = try network.summaries(for: image)
    return Dictionary(uniqueKeysWithValues: rows.compactMap { row in row.kernel.map { (row.name, $0) } })
  }

  @Test func eachStageHasItsOwn() throws {
    let network = try network("shift+standard+dilated:dilation=4"), kernels = try kernels(network)
    for block in 0..<2 {
      #expect(kernels["layer1.\(block).conv2"] == "shift")
      #expect(kernels["layer2.\(block).conv2"] == "standard")
      #expect(kernels["layer3.\(block).conv2"] == "dilated:dilation=4")
      #expect(kernels["layer1.\(block).conv1"] == "standard")
    }
    #expect(kernels["conv1"] == "standard")
    // Two 3×3 convolutions of 16 channels are shifts, which have no parameters and no MACs.
    let plain = try self.network("standard")
    #expect(plain.parameterCount - network.parameterCount == 2 * 9 * 16 * 16)
    let macs = try [plain, network].map { try $0.cost(for: image, pass: .inference).macs }
    #expect(macs[0] - macs[1] == 2 * 9 * 16 * 16 * 64)
  }

  @Test func eachBlockHasItsOwn() throws {
    let items = ["shift", "standard", "adder", "max-plus", "depthwise", "fft"]
    let kernels = try kernels(network(items.joined(separator: "+")))
    for (index, item) in items.enumerated() {
      #expect(kernels["layer\(index / 2 + 1).\(index % 2).conv2"] == item)
    }
  }

  @Test func everyConvolutionOfAStageIsReplaced() throws {
    var settings = ModelSettings()
    settings.replace = .all
    let kernels = try kernels(network("adder+standard+adder", "bottleneck20", settings))
    for name in ["conv1", "conv2", "conv3", "downsample.0"] {
      #expect(kernels["layer1.0.\(name)"] == "adder" && kernels["layer2.0.\(name)"] == "standard")
    }
    #expect(kernels["conv1"] == "standard")
  }

  /// The same names, weights and outputs, to the bit, whatever computes them.
  @Test(arguments: [nil, "reference"]) func oneKernelThriceIsThatKernel(_ algorithm: String?) throws {
    var random = Random(seed: 1)
    let x = Tensor(normal: image.extents, using: &random), context = Context(training: false, threads: 1)
    let one = try network("standard", algorithm: algorithm)
    for item in ["standard+standard+standard", "standard+standard+standard+standard+standard+standard"] {
      let joined = try network(item, algorithm: algorithm)
      #expect(joined.parameters.map(\.name) == one.parameters.map(\.name))
      #expect(joined.parameters.map(\.parameter.value.values) == one.parameters.map(\.parameter.value.values))
      #expect(joined.forward(x, context).values == one.forward(x, context).values)
      #expect(joined.metadata == one.metadata)
    }
  }

  @Test(arguments: [
    (
      "bottleneck20", "shift+standard",
      "shift+standard joins 2 kernels, but bottleneck20 has 3 stages and 6 blocks; name one kernel, 3 or 6."
    ),
    ("resnet50", "shift+shift+shift", "has 4 stages and 16 blocks; name one kernel, 4 or 16."),
    ("squeezenet1_1", "shift+shift", "has no stages of residual blocks, so it takes one kernel"),
    ("bottleneck20", "shift++adder", "There is no kernel ‘’;"),
    ("bottleneck20", "shift+standard+adder:dilatoin=2", "adder takes no option ‘dilatoin’;"),
  ]) func whatDoesNotFitIsRefused(_ model: String, _ item: String, _ words: String) throws {
    let error = #expect(throws: WorkbenchError.self) { try network(item, model) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "nothing")")
  }

  @Test func stagesThatAreKeptAreNamedStandard() throws {
    var settings = ModelSettings()
    settings.stages = [2, 3]
    let error = #expect(throws: WorkbenchError.self) {
      try network("shift+standard+adder", "bottleneck20", settings)
    }
    #expect(error?.description.contains("leave out stages") == true, "\(error?.description ?? "nothing")")
  }

  @Test func theyAreNoOperator() throws {
    let place = try ConvolutionGeometry(inputChannels: 8, outputChannels: 8, kernel: Pair(3))
    let choice = try KernelRegistry.builtIn.choice("shift+standard")
    let error = #expect(throws: WorkbenchError.self) {
      try choice.makeLayer(at: place, random: Random(seed: 0))
    }
    #expect(error?.description.contains("is not an operator") == true)
  }

  @Test func filesOfWeightsSayWhichKernels() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: path) }
    let saved = try network("standard+standard+dilated:dilation=02")
    try saved.save(to: path.path, metadata: saved.metadata)
    #expect(saved.metadata["conv"] == "standard+standard+dilated")
    try network("standard+standard+dilated").load(weights: path.path)
    let error = #expect(throws: WorkbenchError.self) { try network("standard").load(weights: path.path) }
    #expect(error?.description.contains("--conv standard+standard+dilated") == true)
  }
}
