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
    "standard:dilation=99999999999999999999", "standard:window=4", "adder:window=3x2", "depthwise:window=0",
    "grouped:window=", "shift:window=5",
  ]) func wrongItemsAreRefused(_ item: String) {
    #expect(throws: WorkbenchError.self) { try KernelRegistry.builtIn.choice(item) }
  }

  /// An option's window keeps the image's size that the place gives, whatever its stride and dilation; a 1×1 place stays
  /// one, and one that does not keep the size is refused.
  @Test(
    arguments: KernelRegistry.builtIn.kernels.filter { kernel in
      kernel.options.contains { $0 is KernelOption<Pair> && $0.name == "window" }
    }
    .map(\.name))
  func windowsAreReplaced(_ name: String) throws {
    let image = FeatureShape(batch: 1, height: 33, width: 31, channels: 8)
    for (text, window) in ["5": Pair(5), "1x7": Pair(1, 7), "3": Pair(3), "1": Pair(1)] {
      let choice = try KernelRegistry.builtIn.choice("\(name):window=\(text)")
      for stride in 1...2 {
        let place = try ConvolutionGeometry(
          inputChannels: 8, outputChannels: 8, kernel: Pair(3), stride: Pair(stride),
          padding: Padding(Pair(1)))
        let layer = try choice.makeLayer(at: place, random: Random(seed: 0))
        #expect(layer.geometry.kernel == window)
        #expect(try layer.outputShape(for: image) == place.outputShape(for: image))
        let point = try place.with(kernel: Pair(1), padding: Padding(Pair(0)))
        #expect(try choice.makeLayer(at: point, random: Random(seed: 0)).geometry.kernel == Pair(1))
        let valid = try place.with(padding: Padding(Pair(0)))
        #expect(throws: WorkbenchError.self) { try choice.makeLayer(at: valid, random: Random(seed: 0)) }
      }
    }
  }

  /// The 5×5 and 7×7 that stacks of 3×3 convolutions replace, between 64 channels.
  @Test(arguments: [("standard:window=5", 25), ("standard:window=7", 49), ("small-stack", 18)])
  func windowsHaveTheirWeights(_ item: String, _ taps: Int) throws {
    let place = try ConvolutionGeometry(
      inputChannels: 64, outputChannels: 64, kernel: Pair(3), padding: Padding(Pair(1)))
    let layer = try KernelRegistry.builtIn.choice(item).makeLayer(at: place, random: Random(seed: 0))
    #expect(layer.parameterCount == taps * 64 * 64)
  }

  @Test func oddWindowsAreSaidToBeOdd() throws {
    let error = #expect(throws: WorkbenchError.self) {
      try KernelRegistry.builtIn.choice("depthwise:window=4")
    }
    #expect(
      error?.description
        == "The option window of depthwise cannot be ‘4’; it takes N or HxW, odd, from 1 to 1048575.")
  }

  /// Slips are answered by the nearest name, anything else by the list.
  @Test(arguments: [
    ("dilate", "did you mean ‘dilated’?"), ("standrad", "did you mean ‘standard’?"),
    ("Depthwise", "did you mean ‘depthwise’?"), ("", "‘experiment list’ shows all."),
    ("transformer", "‘experiment list’ shows all."),
  ]) func nearestKernelIsNamed(_ name: String, _ words: String) {
    let error = #expect(throws: WorkbenchError.self) { try KernelRegistry.builtIn.choice(name) }
    #expect(error?.description.contains("There is no kernel ‘\(name)’; \(words)") == true)
    let option = #expect(throws: WorkbenchError.self) { try KernelRegistry.builtIn.choice("adder:dilaton=2") }
    #expect(option?.description == "adder takes no option ‘dilaton’; did you mean ‘dilation’?")
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
