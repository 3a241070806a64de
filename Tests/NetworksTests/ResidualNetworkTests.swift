import Kernels
import Layers
import Networks
import Tensors
import Testing

struct ResidualNetworkTests {
  private func network(
    _ model: String, _ item: String = "standard", _ replacement: ResidualDescription.Replacement = .spatial,
    channels: Int = 3, classes: Int = 1000
  ) throws -> ResidualNetwork {
    try ResidualNetwork(
      Models.description(model, inputChannels: channels, classes: classes),
      kernel: KernelRegistry.builtIn.choice(item), standard: KernelRegistry.builtIn.choice("standard"),
      replacement: replacement, seed: 0)
  }

  /// torchvision's published parameter counts.
  @Test(arguments: [
    "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160,
  ]) func parametersAreTorchvisions(_ model: String, _ count: Int) throws {
    #expect(try network(model).parameterCount == count)
  }

  /// Multiply–accumulates of convolutions and the linear layer at 224², as counted by hooks on torchvision's models.
  @Test(arguments: ["resnet18": 1_814_073_344, "resnet50": 4_089_184_256])
  func macsAreTorchvisions(_ model: String, _ count: Int) throws {
    let cost = try network(model).cost(for: FeatureShape(batch: 1, height: 224, width: 224, channels: 3))
    #expect(cost.macs == count)
  }

  /// He et al. (2015, §4.2), with shortcuts of option A and ten classes.
  @Test func resnet20IsTheirs() throws {
    #expect(try network("resnet20", classes: 10).parameterCount == 269_722)
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

  @Test(arguments: KernelRegistry.builtIn.kernels.map(\.name), ResidualDescription.Replacement.allCases)
  func everyKernelFits(_ item: String, _ replacement: ResidualDescription.Replacement) throws {
    let network = try network("bottleneck20", item, replacement, channels: 1, classes: 10)
    var random = Random(seed: 1)
    let x = Tensor(normal: [2, 8, 8, 1], using: &random)
    #expect(try network.outputShape(for: FeatureShape(x)).extents == [2, 1, 1, 10])
    let context = Context(training: true, threads: 2)
    let y = network.forward(x, context)
    #expect(y.shape == [2, 1, 1, 10])
    #expect(network.backward(y, context).shape == x.shape)
    #expect(network.parameters.allSatisfy { $0.parameter.gradient?.shape == $0.parameter.value.shape })
    #expect(try network.cost(for: FeatureShape(x)).parameters == network.parameterCount)
  }
}
