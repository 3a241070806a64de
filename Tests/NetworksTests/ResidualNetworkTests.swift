import Kernels
import Layers
import Networks
import Tensors
import Testing

struct ResidualNetworkTests {
  private func network(
    _ model: String, _ item: String = "standard", _ replacement: Replacement = .spatial,
    channels: Int = 3, classes: Int = 1000
  ) throws -> Network {
    var description = try Models.description(model, inputChannels: channels, classes: classes)
    description.replacement = replacement
    return try network(description, item)
  }

  private func network(_ description: any ModelDescription, _ item: String) throws -> Network {
    try Network(
      description, kernel: KernelRegistry.builtIn.choice(item),
      standard: KernelRegistry.builtIn.choice("standard"), seed: 0)
  }

  private func residual(_ model: String, classes: Int) throws -> ResidualDescription {
    try #require(
      try Models.description(model, inputChannels: 3, classes: classes) as? ResidualDescription)
  }

  /// torchvision's published parameter counts.
  @Test(arguments: [
    "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160,
    "resnet152": 60_192_808, "resnext50_32x4d": 25_028_904, "wide_resnet50_2": 68_883_240,
  ]) func parametersAreTorchvisions(_ model: String, _ count: Int) throws {
    #expect(try network(model).parameterCount == count)
  }

  /// Multiply–accumulates of convolutions and the linear layer at 224², as counted by hooks on torchvision's models.
  @Test(arguments: [
    "resnet18": 1_814_073_344, "resnet34": 3_663_761_408, "resnet50": 4_089_184_256,
    "resnet101": 7_801_405_440, "resnet152": 11_513_626_624,
  ])
  func macsAreTorchvisions(_ model: String, _ count: Int) throws {
    let cost = try network(model).cost(
      for: FeatureShape(batch: 1, height: 224, width: 224, channels: 3), pass: .inference)
    #expect(cost.macs == count)
  }

  /// He et al. (2015, §4.2), with shortcuts of option A and ten classes.
  @Test(arguments: ["resnet20": 269_722, "resnet56": 853_018, "resnet110": 1_727_962])
  func smallNetworksAreTheirs(_ model: String, _ count: Int) throws {
    #expect(try network(model, classes: 10).parameterCount == count)
  }

  @Test func variationsCountAsTheyShould() throws {
    let image = FeatureShape(batch: 1, height: 224, width: 224, channels: 3)
    var small = try residual("resnet20", classes: 10)
    small.shortcut = .projection
    #expect(try network(small, "standard").parameterCount == 272_474)
    // Option A's shortcuts have no parameters, nor have those of plain networks.
    small.shortcut = .none
    #expect(try network(small, "standard").parameterCount == 269_722)
    var paper = try residual("resnet50", classes: 1000)
    paper.stridePlace = .first
    #expect(try network(paper, "standard").cost(for: image, pass: .inference).macs == 3_857_973_248)
    var deformable = try residual("resnet50", classes: 1000)
    deformable.replacedStages = [2, 3, 4]
    #expect(try network(deformable, "deformable").parameterCount == 26_137_874)
    #expect(try network(deformable, "deformable-v2").parameterCount == 26_428_295)
  }

  /// A dilated last stage keeps the resolution, and with it the MACs grow; parameters stay.
  @Test func dilationReplacesStrides() throws {
    var description = try residual("resnet50", classes: 1000)
    description.dilatedStages = [3, 4]
    let image = FeatureShape(batch: 1, height: 65, width: 65, channels: 3)
    let rows = try network(description, "standard").summaries(for: image)
    #expect(rows.first { $0.name == "layer4.2.relu" }?.output.height == 9)
    description.dilatedStages = [5]
    #expect(throws: WorkbenchError.self) { try network(description, "standard") }
  }

  /// Counted from the layers of He et al.'s ResNet-20 with widths times so much.
  @Test(arguments: [(0.5, 68_050), (1, 269_722), (1.5, 605_026), (2, 1_073_962)])
  func widthsAreMultiplied(_ factor: Double, _ count: Int) throws {
    let description = try residual("resnet20", classes: 10).widened(by: factor)
    #expect(try network(description, "standard").parameterCount == count)
    #expect(description.widened(by: 1e-9).stages.map(\.width) == [1, 1, 1])
  }

  @Test func summariesAddUp() throws {
    let image = FeatureShape(batch: 1, height: 33, width: 40, channels: 3)
    for model in Models.names where !model.hasPrefix("mean_spot") {
      let network = try network(model, "deformable-v2")
      let total = try network.summaries(for: image).reduce(Cost()) { $0 + $1.cost }
      #expect(try total == network.cost(for: image, pass: .inference), "\(model)")
      #expect(total.parameters == network.parameterCount, "\(model)")
    }
  }

  /// The backward pass is counted layer by layer: an adder multiplies there as a convolution does, and subtracts and
  /// clamps besides; a normalisation has three MACs a value.
  @Test func backwardCountsReachEveryLayer() throws {
    for model in ["resnet20", "bottleneck20", "resnet50"] {
      let image = FeatureShape(batch: 2, height: 33, width: 40, channels: 3)
      let standard = try network(model, "standard"), adder = try network(model, "adder")
      let forward = try standard.cost(for: image, pass: .inference)
      let terms = try forward.macs - adder.cost(for: image, pass: .inference).macs
      #expect(terms > forward.macs / 4)
      let plain = try standard.cost(for: image, pass: .backward)
      let normalized = try standard.summaries(for: image).filter { $0.type == "BatchNorm2d" }
        .reduce(0) { $0 + $1.output.count }
      #expect(plain.macs == 2 * forward.macs + 3 * normalized, "\(model)")
      var wanted = plain
      wanted.adds += terms
      wanted.otherOps += 2 * terms
      #expect(try adder.cost(for: image, pass: .backward) == wanted, "\(model)")
    }
  }

  /// Every kernel serves basic blocks and bottlenecks, with groups too, in all their convolutions.
  @Test(arguments: KernelRegistry.builtIn.kernels.map(\.name)) func everyKernelServesEveryBlock(
    _ item: String
  )
    throws
  {
    for (model, groups) in [("resnet20", 1), ("bottleneck20", 1), ("bottleneck20", 4)] {
      var description = try residual(model, classes: 10)
      description.groups = groups
      for replacement in Replacement.allCases {
        description.replacement = replacement
        _ = try network(description, item).outputShape(for: Models.input(model).with(channels: 3))
      }
    }
  }

  /// PyTorch's notation, as torchvision 0.29's resnet18 prints it.
  @Test func printedAsPyTorchDoes() throws {
    let text = try network("resnet18").printed
    #expect(
      text.hasPrefix(
        "ResNet(\n  (conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)\n"))
    #expect(
      text.contains(
        """
          (layer2): Sequential(
            (0): BasicBlock(
              (conv1): Conv2d(64, 128, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)
              (bn1): BatchNorm2d(128, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
              (relu): ReLU(inplace=True)
              (conv2): Conv2d(128, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
        """))
    #expect(
      text.hasSuffix(
        "  (avgpool): AdaptiveAvgPool2d(output_size=(1, 1))\n  (fc): Linear(in_features=512, out_features=1000, bias=True)\n)"
      ))
  }

  /// Inference fuses layers; it must compute what training computes, but for the statistics: with the batch's own
  /// as running ones, the outputs agree to rounding.
  @Test(arguments: ["standard", "adder", "deformable-v2"]) func inferenceAgreesWithTraining(_ item: String)
    throws
  {
    let network = try network("resnet20", item, classes: 10)
    var random = Random(seed: 4)
    let x = Tensor(normal: [2, 16, 16, 3], using: &random)
    var y = x
    // Each pass moves the running statistics a tenth of the way to the batch's.
    for _ in 0..<300 { y = network.forward(x, Context(training: true, threads: 2)) }
    let inferred = network.forward(x, Context(training: false, threads: 2))
    // Unbiased running variances differ from the batch's by 1 part in n − 1: at least 31 here, over 19 layers.
    for (a, b) in zip(inferred.values, y.values) { #expect(abs(a - b) < 0.15 * max(1, abs(b))) }
  }

  @Test func namesAreTorchvisions() throws {
    let names = Set(try network("resnet18").parameters.map(\.name))
    for name in [
      "conv1.weight", "bn1.bias", "layer1.0.conv2.weight", "layer2.0.downsample.0.weight", "fc.bias",
    ] {
      #expect(names.contains(name), "\(name) is missing")
    }
  }

  @Test func aSwappedKernelIsCounted() throws {
    let plain = try network("bottleneck20", channels: 1, classes: 10).parameterCount
    #expect(plain == 220_090)
    // Six 3×3 convolutions of widths 16, 16, 32, 32, 64, 64 get an offset convolution each.
    let offsets = [16, 16, 32, 32, 64, 64].reduce(0) { $0 + 9 * $1 * 18 + 18 }
    #expect(
      try network("bottleneck20", "deformable", channels: 1, classes: 10).parameterCount == plain + offsets)
  }

  @Test(arguments: KernelRegistry.builtIn.kernels.map(\.name), Replacement.allCases)
  func everyKernelFits(_ item: String, _ replacement: Replacement) throws {
    let network = try network("bottleneck20", item, replacement, channels: 1, classes: 10)
    var random = Random(seed: 1)
    let x = Tensor(normal: [2, 8, 8, 1], using: &random)
    #expect(try network.outputShape(for: FeatureShape(x)).extents == [2, 1, 1, 10])
    let context = Context(training: true, threads: 2)
    let y = network.forward(x, context)
    #expect(y.shape == [2, 1, 1, 10])
    #expect(network.backward(y, context).shape == x.shape)
    #expect(network.parameters.allSatisfy { $0.parameter.gradient?.shape == $0.parameter.value.shape })
    #expect(try network.cost(for: FeatureShape(x), pass: .inference).parameters == network.parameterCount)
  }
}

extension FeatureShape {
  fileprivate func with(channels: Int) -> FeatureShape {
    FeatureShape(batch: batch, height: height, width: width, channels: channels)
  }
}
