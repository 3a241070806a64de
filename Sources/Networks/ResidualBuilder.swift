import Kernels
import Layers
import Tensors

/// Builds the layers of a residual network.
final class ResidualBuilder {
  /// The item of `--conv` behind each convolution, by its name.
  private(set) var items: [String: String] = [:]

  private let description: ResidualDescription
  private let kernel: KernelChoice
  private let standard: KernelChoice
  private let algorithm: String?
  private let random: Random

  init(
    _ description: ResidualDescription, kernel: KernelChoice, standard: KernelChoice, algorithm: String?,
    random: Random
  ) {
    self.description = description
    self.kernel = kernel
    self.standard = standard
    self.algorithm = algorithm
    self.random = random
  }

  func build() throws -> Sequential {
    var layers: [(name: String, layer: any Layer)] = []
    let large = description.stem == .large
    layers.append(
      (
        "conv1",
        try convolution(
          "conv1",
          Plan(
            inputs: description.inputChannels, outputs: description.stemWidth, window: large ? 7 : 3,
            stride: large ? 2 : 1, kernel: standard))
      ))
    layers.append(("bn1", BatchNormalization(channels: description.stemWidth)))
    layers.append(("relu", ReLU()))
    if large { layers.append(("maxpool", MaxPooling(try PoolingWindow(size: 3, stride: 2, padding: 1)))) }
    var channels = description.stemWidth
    // A stage whose stride is replaced leaves its dilation to its first block's successors.
    var dilation = 1
    for (index, stage) in description.stages.enumerated() {
      let name = "layer\(index + 1)", number = index + 1
      let isDilated = description.dilatedStages.contains(number)
      let kernel = description.replacedStages?.contains(number) ?? true ? self.kernel : standard
      var blocks: [any Layer] = []
      for block in 0..<stage.count {
        let isFirst = block == 0
        blocks.append(
          try self.block(
            "\(name).\(block)", channels, stage.width, stride: isFirst && !isDilated ? stage.stride : 1,
            dilation: dilation, kernel))
        if isFirst && isDilated { dilation *= stage.stride }
        channels = stage.width * description.block.expansion
      }
      layers.append((name, Sequential(numbered: blocks)))
    }
    layers.append(("avgpool", AdaptiveAveragePooling()))
    try Tensor.checkSize([channels, description.classes], "The classifier's weight")
    var random = random.split("fc")
    layers.append(("fc", Linear(inputs: channels, outputs: description.classes, random: &random)))
    return Sequential(layers)
  }

  /// What a convolution without bias is made from.
  private struct Plan {
    var inputs: Int
    var outputs: Int
    var window = 1
    var stride = 1
    var dilation = 1
    var groups = 1
    var kernel: KernelChoice
  }

  private func block(
    _ name: String, _ inputs: Int, _ width: Int, stride: Int, dilation: Int, _ kernel: KernelChoice
  ) throws -> any Layer {
    let outputs = width * description.block.expansion
    let pointwise = description.replacement == .all ? kernel : standard
    let window = description.window
    let plans: [Plan]
    switch description.block {
    case .basic:
      plans = [
        Plan(
          inputs: inputs, outputs: width, window: window, stride: stride, dilation: dilation, kernel: kernel),
        Plan(inputs: width, outputs: outputs, window: window, dilation: dilation, kernel: kernel),
      ]
    case .bottleneck:
      let inner = width * description.innerWidth.numerator / description.innerWidth.denominator
      let isFirst = description.stridePlace == .first
      plans = [
        Plan(inputs: inputs, outputs: inner, stride: isFirst ? stride : 1, kernel: pointwise),
        Plan(
          inputs: inner, outputs: inner, window: window, stride: isFirst ? 1 : stride, dilation: dilation,
          groups: description.groups, kernel: kernel),
        Plan(inputs: inner, outputs: outputs, kernel: pointwise),
      ]
    }
    var main: [(name: String, layer: any Layer)] = []
    for (number, plan) in zip(1..., plans) {
      main.append(("conv\(number)", try convolution("\(name).conv\(number)", plan)))
      let normalization = BatchNormalization(channels: plan.outputs)
      main.append(("bn\(number)", normalization))
      if number < plans.count {
        main.append(("relu\(number)", ReLU()))
      } else if description.startsAsIdentity {
        normalization.weight.value = Tensor(repeating: 0, [plan.outputs])
      }
    }
    if description.shortcut == .none { return Sequential(main + [("relu", ReLU())]) }
    guard stride != 1 || inputs != outputs else {
      return ResidualBlock(description.block, main, shortcut: nil)
    }
    if description.shortcut == .padding {
      return ResidualBlock(
        description.block, main,
        shortcut: PaddingShortcut(stride: stride, inputs: inputs, outputs: outputs))
    }
    let projection = try convolution(
      "\(name).downsample.0", Plan(inputs: inputs, outputs: outputs, stride: stride, kernel: pointwise))
    return ResidualBlock(
      description.block, main,
      shortcut: Sequential(numbered: [projection, BatchNormalization(channels: outputs)]))
  }

  /// A convolution that keeps the size, but for the stride.
  private func convolution(_ name: String, _ plan: Plan) throws -> any Layer {
    let place = try ConvolutionGeometry(
      inputChannels: plan.inputs, outputChannels: plan.outputs, kernel: Pair(plan.window),
      stride: Pair(plan.stride), padding: Padding(Pair(plan.dilation * (plan.window / 2))),
      dilation: Pair(plan.dilation), groups: plan.groups)
    items[name] = plan.kernel.item
    do {
      return try plan.kernel.makeLayer(
        at: place, algorithm: plan.kernel.item == kernel.item ? algorithm : nil, random: random.split(name))
    } catch let error as WorkbenchError {
      throw WorkbenchError("\(name) of \(description.name): \(error)")
    }
  }
}
