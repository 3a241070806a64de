import Kernels
import Layers
import Tensors

/// A residual network with a kernel in place of its convolutions.
public final class ResidualNetwork: Layer {
  /// What it was built from.
  public let description: ResidualDescription
  private let body: Sequential

  public var children: [(name: String, layer: any Layer)] { body.children }

  /// Builds a network, or says which block the kernel cannot serve and why.
  ///
  /// - Parameters:
  ///   - description: what to build.
  ///   - kernel: what takes the place of the convolutions that `replacement` names.
  ///   - standard: what all other convolutions are made by.
  ///   - seed: what the initial weights depend on; each layer's also on its name, so that two kernels start
  ///     with the same weights everywhere else.
  public init(
    _ description: ResidualDescription, kernel: KernelChoice, standard: KernelChoice,
    replacement: ResidualDescription.Replacement = .spatial, algorithm: String? = nil, seed: UInt64
  ) throws {
    self.description = description
    let builder = Builder(
      description: description, kernel: kernel, standard: standard, replacement: replacement,
      algorithm: algorithm, random: Random(seed: seed))
    body = try builder.build()
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape { try body.outputShape(for: input) }
  public func cost(for input: FeatureShape) throws -> Cost { try body.cost(for: input) }
  public func forward(_ input: Tensor, _ context: Context) -> Tensor { body.forward(input, context) }
  public func backward(_ gradient: consuming Tensor, _ context: Context) -> Tensor {
    body.backward(gradient, context)
  }
}

/// Builds the layers of a residual network.
private struct Builder {
  let description: ResidualDescription
  let kernel: KernelChoice
  let standard: KernelChoice
  let replacement: ResidualDescription.Replacement
  let algorithm: String?
  let random: Random

  func build() throws -> Sequential {
    var layers: [(name: String, layer: any Layer)] = []
    let large = description.stem == .large
    layers.append(
      (
        "conv1",
        try convolution(
          "conv1", description.inputChannels, description.stemWidth, window: large ? 7 : 3,
          stride: large ? 2 : 1,
          standard)
      ))
    layers.append(("bn1", BatchNormalization(channels: description.stemWidth)))
    layers.append(("relu", ReLU()))
    if large { layers.append(("maxpool", MaxPooling(try PoolingWindow(size: 3, stride: 2, padding: 1)))) }
    var channels = description.stemWidth
    for (index, stage) in description.stages.enumerated() {
      let name = "layer\(index + 1)"
      var blocks: [any Layer] = []
      for block in 0..<stage.count {
        blocks.append(
          try self.block("\(name).\(block)", channels, stage.width, stride: block == 0 ? stage.stride : 1))
        channels = stage.width * description.block.expansion
      }
      layers.append((name, Sequential(numbered: blocks)))
    }
    layers.append(("avgpool", AdaptiveAveragePooling()))
    var random = random.split("fc")
    layers.append(("fc", Linear(inputs: channels, outputs: description.classes, random: &random)))
    return Sequential(layers)
  }

  private func block(_ name: String, _ inputs: Int, _ width: Int, stride: Int) throws -> ResidualBlock {
    let outputs = width * description.block.expansion
    let pointwise = replacement == .all ? kernel : standard
    let window = description.window
    // (inputs, outputs, window, stride, kernel) of each convolution; the stride stands on the k×k one.
    let plan: [(Int, Int, Int, Int, KernelChoice)] =
      switch description.block {
      case .basic: [(inputs, width, window, stride, kernel), (width, outputs, window, 1, kernel)]
      case .bottleneck:
        [
          (inputs, width, 1, 1, pointwise), (width, width, window, stride, kernel),
          (width, outputs, 1, 1, pointwise),
        ]
      }
    var main: [(name: String, layer: any Layer)] = []
    for (index, (from, to, window, stride, kernel)) in plan.enumerated() {
      let number = index + 1
      let layer = try convolution("\(name).conv\(number)", from, to, window: window, stride: stride, kernel)
      main.append(("conv\(number)", layer))
      main.append(("bn\(number)", BatchNormalization(channels: to)))
      if number < plan.count { main.append(("relu\(number)", ReLU())) }
    }
    guard stride != 1 || inputs != outputs else { return ResidualBlock(main, shortcut: nil) }
    if description.shortcut == .padding {
      return ResidualBlock(main, shortcut: PaddingShortcut(stride: stride, inputs: inputs, outputs: outputs))
    }
    let projection = try convolution(
      "\(name).downsample.0", inputs, outputs, window: 1, stride: stride, pointwise)
    return ResidualBlock(
      main, shortcut: Sequential(numbered: [projection, BatchNormalization(channels: outputs)]))
  }

  /// A convolution without bias that keeps the size, but for the stride.
  private func convolution(
    _ name: String, _ inputs: Int, _ outputs: Int, window: Int, stride: Int, _ choice: KernelChoice
  ) throws -> any Layer {
    let place = try ConvolutionGeometry(
      inputChannels: inputs, outputChannels: outputs, kernel: Pair(window), stride: Pair(stride),
      padding: Padding(Pair(window / 2)))
    do {
      return try choice.makeLayer(
        at: place, algorithm: choice.item == kernel.item ? algorithm : nil, random: random.split(name))
    } catch let error as WorkbenchError {
      throw WorkbenchError("\(name) of \(description.name): \(error)")
    }
  }
}
