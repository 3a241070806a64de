import Kernels
import Layers
import Tensors
import Testing

/// What is refused, and how.
struct GeometryTests {
  @Test func outputSizeIsPyTorchs() throws {
    let geometry = try ConvolutionGeometry(
      inputChannels: 3, outputChannels: 64, kernel: Pair(7), stride: Pair(2), padding: Padding(Pair(3)))
    let output = try geometry.outputShape(for: FeatureShape(batch: 2, height: 224, width: 225, channels: 3))
    #expect(output == FeatureShape(batch: 2, height: 112, width: 113, channels: 64))
  }

  @Test(arguments: [0, -1, Int.min, Int.max]) func impossibleSizesAreRefused(_ size: Int) {
    #expect(throws: WorkbenchError.self) {
      try ConvolutionGeometry(inputChannels: size, outputChannels: 1, kernel: Pair(3))
    }
    #expect(throws: WorkbenchError.self) {
      try ConvolutionGeometry(inputChannels: 1, outputChannels: 1, kernel: Pair(size))
    }
    #expect(throws: WorkbenchError.self) {
      try ConvolutionGeometry(inputChannels: 1, outputChannels: 1, kernel: Pair(3), stride: Pair(size))
    }
    #expect(throws: WorkbenchError.self) {
      try ConvolutionGeometry(inputChannels: 4, outputChannels: 4, kernel: Pair(3), groups: size)
    }
  }

  @Test func windowsLargerThanTheImageAreRefused() throws {
    let geometry = try ConvolutionGeometry(inputChannels: 1, outputChannels: 1, kernel: Pair(3))
    #expect(throws: WorkbenchError.self) {
      try geometry.outputShape(for: FeatureShape(batch: 1, height: 2, width: 5, channels: 1))
    }
  }

  @Test(arguments: [
    "nothing", "", "standard:", "standard:dilation", "standard:dilation=0", "standard:dilation=2x",
    "shift:combine=adder",
    "adder:dilation=2:dilation=3", "deformable:groups=0", "deformable:combine=shift",
    "standard:dilation=99999999999999999999",
  ]) func wrongItemsAreRefused(_ item: String) {
    #expect(throws: WorkbenchError.self) { try KernelRegistry.builtIn.choice(item) }
  }

  @Test(arguments: ["3": Pair(3), "2x5": Pair(2, 5)]) func sizesAreRead(_ text: String, _ pair: Pair) {
    #expect(Pair(text: text) == pair)
  }

  @Test(arguments: ["", "x", "3x", "x3", "-1", "+1", "1x2x3", "1.5", "1048577", "٣"])
  func otherSizesAreNot(_ text: String) { #expect(Pair(text: text) == nil) }

  @Test func allIsEveryKernelOnce() throws {
    let names = try KernelRegistry.builtIn.choices("all").map(\.item)
    #expect(names == KernelRegistry.builtIn.kernels.map(\.name))
    #expect(Set(names).count == names.count)
  }
}
