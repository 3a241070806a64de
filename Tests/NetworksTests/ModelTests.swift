import Kernels
import Layers
import Tensors
import Testing

@testable import Networks

/// The networks that made operators known.
struct ModelTests {
  private func network(
    _ model: String, _ item: String? = nil, channels: Int = 3, classes: Int? = nil,
    _ change: (inout any ModelDescription) -> Void = { _ in }
  ) throws -> Network {
    var description = try Models.description(
      model, inputChannels: channels, classes: classes ?? Models.classes(model))
    change(&description)
    return try Network(
      description, kernel: KernelRegistry.builtIn.choice(item ?? description.ownKernel ?? "standard"),
      standard: KernelRegistry.builtIn.choice("standard"), seed: 0)
  }

  /// Published, or counted on torchvision's and timm's networks.
  @Test(arguments: [
    "squeezenet1_1": 1_235_496, "mobilenet_v1": 4_231_976, "mobilenet_v2": 3_504_872,
    "googlenet": 6_624_904, "xception": 22_855_952, "deeplabv3_resnet50": 39_638_869,
    "shiftresnet20": 95_642, "addernet_resnet20": 272_484, "addernet_resnet50": 25_558_032,
    "mean_spot": 3593, "mean_spot_cbam": 3593 + 130,
  ]) func parametersArePublished(_ model: String, _ count: Int) throws {
    let network = try network(model)
    #expect(network.parameterCount == count)
    #expect(try network.cost(for: Models.input(model), pass: .inference).parameters == count)
  }

  /// Billions of multiply–accumulates of a 3×224×224 image, as torchvision publishes them, to three decimals.
  @Test(arguments: ["squeezenet1_1": 0.349, "mobilenet_v2": 0.301, "googlenet": 1.498])
  func macsArePublished(_ model: String, _ billions: Double) throws {
    let macs = try network(model).cost(for: Models.input(model), pass: .inference).macs
    #expect(abs(Double(macs) / 1e9 - billions) <= 0.0005)
  }

  @Test func shiftResNetsExpand() throws {
    // Stem, classifier, shortcuts and the blocks' last normalisations: 4,538; the rest grows with the expansion.
    for expansion in [1, 3, 6] {
      let network = try network("shiftresnet20") {
        guard var residual = $0 as? ResidualDescription else { return }
        residual.chosenExpansion = expansion
        $0 = residual
      }
      #expect(network.parameterCount == 4538 + 30_368 * expansion)
    }
    let rows = try network("shiftresnet56").summaries(for: Models.input("shiftresnet56"))
    #expect(rows.filter { $0.kernel == "shift" }.count == 27)
    #expect(rows.filter { $0.kernel == "shift" }.allSatisfy { $0.cost.parameters == 0 && $0.cost.macs == 0 })
  }

  /// All but the stem and the classifier are adders: no multiplication is left in them.
  @Test func adderNetsAdd() throws {
    let rows = try network("addernet_resnet50").summaries(for: Models.input("addernet_resnet50"))
    let convolutions = rows.filter { $0.kernel != nil }
    #expect(Set(convolutions.filter { $0.kernel == "standard" }.map(\.name)) == ["conv1", "fc"])
    #expect(convolutions.count == 54 && rows.contains { $0.name == "bn2" })
    #expect(convolutions.filter { $0.kernel == "adder" }.allSatisfy { $0.cost.macs == 0 })
  }

  /// A kernel takes the place of what sees more than a pixel, or of everything, but never of the stem.
  @Test(arguments: [
    ("squeezenet1_1", 8, 25), ("mobilenet_v1", 13, 26), ("mobilenet_v2", 17, 51), ("googlenet", 19, 56),
    ("xception", 35, 73), ("deeplabv3_resnet50", 20, 60), ("mean_spot", 1, 1),
  ]) func kernelsAreSwapped(_ model: String, _ spatial: Int, _ all: Int) throws {
    for (replacement, count) in [(Replacement.spatial, spatial), (.all, all)] {
      let rows = try network(model, "adder") { $0.replacement = replacement }
        .summaries(for: Models.input(model))
      #expect(rows.filter { $0.kernel == "adder" }.count == count, "\(replacement)")
      #expect(rows.first { $0.kernel != nil }?.kernel == "standard")
    }
  }

  private static let small = [
    "squeezenet1_1", "mobilenet_v1", "mobilenet_v2", "googlenet", "xception", "deeplabv3_resnet50",
    "shiftresnet20", "addernet_resnet20", "mean_spot", "mean_spot_cbam",
  ]

  /// Every name is there, in the network's rows too, with every kernel; a pass back and forth has the right shapes.
  @Test(arguments: small, ["standard", "dilated", "deformable", "shift", "adder"])
  func kernelsFit(_ model: String, _ item: String) throws {
    let network = try network(model, item, classes: 3)
    let extent = model.hasPrefix("mean_spot") ? 42 : model.hasPrefix("deeplab") ? 17 : 32
    var random = Random(seed: 1)
    let x = Tensor(normal: [2, extent, extent, 3], using: &random)
    let shape = try network.outputShape(for: FeatureShape(x))
    #expect(shape.extents == (network.model.isDense ? [2, extent, extent, 3] : [2, 1, 1, 3]))
    let context = Context(training: true, threads: 2)
    let y = network.forward(x, context)
    #expect(y.shape == shape.extents)
    _ = network.backward(y, input: .unneeded, context)
    #expect(network.parameters.allSatisfy { $0.parameter.gradient?.shape == $0.parameter.value.shape })
    let rows = try network.summaries(for: FeatureShape(x))
    #expect(
      rows.reduce(Cost()) { $0 + $1.cost } == (try network.cost(for: FeatureShape(x), pass: .inference)))
    #expect(rows.reduce(0) { $0 + $1.cost.parameters } == network.parameterCount)
    #expect(Set(rows.map(\.name)).count == rows.count)
    let named = Set(
      network.parameters.map { $0.name.split(separator: ".").dropLast().joined(separator: ".") })
    // A kernel of several parts has one row.
    #expect(named.allSatisfy { name in rows.contains { name == $0.name || name.hasPrefix($0.name + ".") } })
  }

  /// A place without padding, as Xception's second: dilated and shift, which keep the size, are cut to what the
  /// convolution leaves.
  @Test func unpaddedPlacesKeepTheirSize() throws {
    let description = FixedDescription(
      name: "unpadded", inputChannels: 3, classes: 1, classifier: "", isDense: true, printedName: "Unpadded"
    ) { try $0.convolution("conv", 3, 8, window: 5, padding: 0).layer }
    for item in ["standard", "dilated", "shift", "deformable", "multi-scale", "non-local", "adder"] {
      let network = try Network(
        description, kernel: KernelRegistry.builtIn.choice(item),
        standard: KernelRegistry.builtIn.choice("standard"), seed: 0)
      let input = FeatureShape(batch: 1, height: 12, width: 14, channels: 3)
      #expect(try network.outputShape(for: input).extents == [1, 8, 10, 8], "\(item)")
    }
  }

  /// Refused by a sentence about the model, not by a trap.
  @Test(arguments: [("squeezenet1_1", 8, 3), ("xception", 4, 3), ("googlenet", 2, 3), ("mean_spot", 8, 3)])
  func tinyImagesAreRefused(_ model: String, _ extent: Int, _ channels: Int) throws {
    let network = try network(model)
    let image = FeatureShape(batch: 1, height: extent, width: extent, channels: channels)
    let error = #expect(throws: WorkbenchError.self) { try network.outputShape(for: image) }
    #expect(
      error?.description.hasPrefix("\(model) cannot take \(channels)×\(extent)×\(extent) images: ") == true)
  }

  @Test func severalInputsAreCounted() throws {
    #expect(throws: WorkbenchError.self) { try network("mean_spot", channels: 1) }
  }

  /// What PyTorch prints of torchvision 0.29's networks, a line of each part.
  @Test func printedAsPyTorchDoes() throws {
    for (model, lines) in [
      "squeezenet1_1": [
        "SqueezeNet(\n  (features): Sequential(\n    (0): Conv2d(3, 64, kernel_size=(3, 3), stride=(2, 2))\n",
        "    (3): Fire(\n      (squeeze): Conv2d(64, 16, kernel_size=(1, 1), stride=(1, 1))\n"
          + "      (squeeze_activation): ReLU(inplace=True)\n      (expand1x1): Conv2d(",
        "  (classifier): Sequential(\n    (0): Dropout(p=0.5, inplace=False)\n",
      ],
      "googlenet": [
        "  (conv1): BasicConv2d(\n    (conv): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)\n"
          + "    (bn): BatchNorm2d(64, eps=0.001, momentum=0.1, affine=True, bias=True, track_running_stats=True)\n  )\n",
        "  (inception3a): Inception(\n    (branch1): BasicConv2d(\n",
      ],
      "mobilenet_v2": [
        "    (1): InvertedResidual(\n      (conv): Sequential(\n        (0): Conv2dNormActivation(\n"
          + "          (0): Conv2d(32, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=32, bias=False)\n"
      ],
      "deeplabv3_resnet50": [
        "DeepLabV3(\n  (backbone): IntermediateLayerGetter(\n    (conv1): Conv2d(",
        "  (classifier): DeepLabHead(\n    (0): ASPP(\n      (convs): ModuleList(\n        (0): Sequential(\n",
        "        (4): ASPPPooling(\n          (0): AdaptiveAvgPool2d(",
      ],
    ] {
      let text = try network(model).printed
      for line in lines { #expect(text.contains(line), "\(line)") }
    }
  }
}
