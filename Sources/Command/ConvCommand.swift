import ArgumentParser
import Experiments
import Foundation
import Kernels
import Layers
import Tensors

/// `experiment conv`: one operator on arrays, so that anyone can check it.
struct ConvCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conv",
    abstract: "Apply one operator to .npy arrays (NCHW, weights OIHW), forward and backward.",
    discussion: """
      Example: swift run experiment conv --conv standard --input experiments/arrays/x.npy \
      --weight experiments/arrays/w.npy --padding 1 --output y.npy

      A kernel composed of several layers takes its weights by name: --weights file.safetensors, with --window \
      and --channels if they are not 3 and the input's.
      """)

  @Option(
    help: ArgumentHelp("The kernel, with options after colons; see ‘experiment list’.", valueName: "name"))
  var conv: String
  @Option(help: ArgumentHelp("Images, NCHW.", valueName: "x.npy"))
  var input: String
  @Option(help: ArgumentHelp("Weights, OIHW.", valueName: "w.npy"))
  var weight: String?
  @Option(help: ArgumentHelp("One value for each output channel.", valueName: "b.npy"))
  var bias: String?
  @Option(
    help: ArgumentHelp(
      "All weights by name, for a composed kernel, instead of --weight and --bias.",
      valueName: "w.safetensors"))
  var weights: String?
  @Option(help: ArgumentHelp("With --weights: the window, N or HxW (default: 3).", valueName: "size"))
  var window: SizeArgument?
  @Option(help: ArgumentHelp("With --weights: output channels (default: the input's).", valueName: "n"))
  var channels: Int?
  @Option(help: ArgumentHelp("Offsets, N × (2 · groups · kh · kw) × H × W.", valueName: "o.npy"))
  var offset: String?
  @Option(help: ArgumentHelp("Masks, N × (groups · kh · kw) × H × W.", valueName: "m.npy"))
  var mask: String?
  @Option(help: ArgumentHelp("Stride, N or HxW.", valueName: "size"))
  var stride = SizeArgument(pair: Pair(1))
  @Option(
    help: ArgumentHelp(
      "Zeros around the image, N, HxW or TOP,LEFT,BOTTOM,RIGHT (default: 0; with --weights, half the window).",
      valueName: "size"))
  var padding: PaddingArgument?
  @Option(help: ArgumentHelp("Dilation, N or HxW (default: the kernel's own).", valueName: "size"))
  var dilation: SizeArgument?
  @Option(help: ArgumentHelp("Groups of channels.", valueName: "n"))
  var groups = 1
  @Option(help: ArgumentHelp("The algorithm (default: the fastest by estimate).", valueName: "name"))
  var algorithm: String?
  @OptionGroup
  var threads: ThreadOption
  @Option(help: ArgumentHelp("The file for the output.", valueName: "y.npy"))
  var output: String
  @Option(help: ArgumentHelp("The output gradient; needed for the gradients below.", valueName: "gy.npy"))
  var gradOutput: String?
  @Option(help: ArgumentHelp("The file for the input gradient.", valueName: "gx.npy"))
  var gradInput: String?
  @Option(help: ArgumentHelp("The file for the weight gradient.", valueName: "gw.npy"))
  var gradWeight: String?
  @Option(help: ArgumentHelp("The file for all parameter gradients, by name.", valueName: "gw.safetensors"))
  var gradWeights: String?
  @Option(help: ArgumentHelp("The file for the bias gradient.", valueName: "gb.npy"))
  var gradBias: String?
  @Option(help: ArgumentHelp("The file for the offset gradient.", valueName: "go.npy"))
  var gradOffset: String?
  @Option(help: ArgumentHelp("The file for the mask gradient.", valueName: "gm.npy"))
  var gradMask: String?

  private var outputs: [(option: String, path: String?)] {
    [
      ("--output", output), ("--grad-input", gradInput), ("--grad-weight", gradWeight),
      ("--grad-weights", gradWeights),
      ("--grad-bias", gradBias), ("--grad-offset", gradOffset), ("--grad-mask", gradMask),
    ]
  }

  func validate() throws {
    try check(groups, "--groups", 1...1_048_576)
    if let channels { try check(channels, "--channels", 1...1_048_576) }
    guard weights == nil || [weight, bias, offset, mask].allSatisfy({ $0 == nil }) else {
      throw ValidationError("--weights gives all arrays; leave out --weight, --bias, --offset and --mask.")
    }
    guard weights == nil || dilation == nil else {
      throw ValidationError(
        "With --weights, give the dilation as an option of the kernel, as in dilated:dilation=2.")
    }
    guard weights != nil || channels == nil else { throw ValidationError("--channels needs --weights.") }
    guard weights != nil || window == nil else {
      throw ValidationError("The weight's shape is the window; leave out --window, or give --weights.")
    }
    if gradOutput == nil && outputs.dropFirst().contains(where: { $0.path != nil }) {
      throw ValidationError("Gradients need the gradient to the output; give it with --grad-output.")
    }
    try check(outputs: outputs)
  }

  func run() throws {
    for path in outputs.compactMap(\.path) { try AtomicFile.checkFolder(of: path) }
    let choice = try ExperimentCommand.registry.choice(conv)
    let x = try read(input, .features, "input", axes: 4)
    let layer =
      try weights.map { try named(choice, $0, inputs: x.shape[3]) } ?? bare(choice, inputs: x.shape[3])
    let shape = try layer.outputShape(for: FeatureShape(x))

    let g = try gradOutput.map { try read($0, .features, "gradient to the output", axes: 4) }
    if let g, g.shape != shape.extents {
      throw WorkbenchError(
        "The gradient to the output has the shape \(TensorLayout.features.fileShape(g.shape)); the output's is \(TensorLayout.features.fileShape(shape.extents))."
      )
    }
    var files: [(path: String, data: Data)] = []
    func add(_ path: String, _ tensor: Tensor) throws {
      files.append((path, try NpyFile.contents(tensor, path)))
    }
    let context = Context(training: g != nil, threads: threads.count)
    try add(output, layer.forward(x, context).toFileOrder(.features))
    if let g {
      let gx = layer.backward(g, context)
      if let gradInput { try add(gradInput, gx.toFileOrder(.features)) }
      if let gradWeights {
        let named = layer.parameters.compactMap { named in named.parameter.gradient.map { (named, $0) } }
        let tensors = named.map { named, gradient in
          let layout = named.parameter.layout
          return (named.name, layout.fileShape(gradient.shape), { gradient.toFileOrder(layout) })
        }
        files.append((gradWeights, try SafetensorsFile.contents(tensors)))
      }
      let gradients = (layer as? any TakesOperands)?.operandGradients ?? Operands()
      let wanted: [(String, String?, Tensor?, TensorLayout)] = [
        ("weight", gradWeight, gradients.weight, .convolution), ("bias", gradBias, gradients.bias, .plain),
        ("offset", gradOffset, gradients.offset, .features), ("mask", gradMask, gradients.mask, .features),
      ]
      for (name, path, gradient, layout) in wanted {
        guard let path else { continue }
        guard let gradient else {
          throw WorkbenchError(
            "No \(name) was given, so there is no gradient to it; leave out --grad-\(name).")
        }
        try add(path, gradient.toFileOrder(layout))
      }
    }
    try AtomicFile.write(files)
  }

  /// The operator with the arrays of the command line.
  private func bare(_ choice: KernelChoice, inputs: Int) throws -> any KernelLayer {
    let operands = Operands(
      weight: try weight.map { try read($0, .convolution, "weight", axes: 4) },
      bias: try bias.map { try read($0, .plain, "bias", axes: 1) },
      offset: try offset.map { try read($0, .features, "offset", axes: 4) },
      mask: try mask.map { try read($0, .features, "mask", axes: 4) })
    let request = OperatorRequest(
      inputChannels: inputs, operands: operands, options: choice.options, stride: stride.pair,
      padding: padding?.padding, dilation: dilation?.pair, groups: groups, algorithm: algorithm)
    let layer = try choice.makeLayer(choice.kernel.site(for: request))
    guard let taking = layer as? any TakesOperands else {
      throw WorkbenchError("\(conv) takes no single arrays; give it weights by name with --weights.")
    }
    try taking.bind(operands)
    return layer
  }

  /// The kernel as in a network, with the weights of a file; with a bias if the file has one.
  private func named(_ choice: KernelChoice, _ path: String, inputs: Int) throws -> any KernelLayer {
    let kernel = window?.pair ?? Pair(3)
    let place = try ConvolutionGeometry(
      inputChannels: inputs, outputChannels: channels ?? inputs, kernel: kernel, stride: stride.pair,
      padding: padding?.padding ?? Padding(Pair(kernel.height / 2, kernel.width / 2)), groups: groups)
    func make(bias: Bool) throws -> any KernelLayer {
      try choice.makeLayer(at: place, bias: bias, algorithm: algorithm, random: Random(seed: 0))
    }
    let names = Set(try SafetensorsFile(path).entries.map(\.name))
    var layer = try make(bias: choice.takesBias(at: place))
    if !layer.parameters.allSatisfy({ names.contains($0.name) }) { layer = try make(bias: false) }
    try layer.load(from: path)
    return layer
  }

  private func read(_ path: String, _ layout: TensorLayout, _ name: String, axes: Int) throws -> Tensor {
    let array = try NpyFile.read(path)
    guard array.shape.count == axes else {
      throw WorkbenchError("\(path): the \(name) needs \(axes) axes, but its shape is \(array.shape).")
    }
    guard array.shape.allSatisfy({ $0 > 0 }) else {
      throw WorkbenchError("\(path): the \(name) is empty; its shape is \(array.shape).")
    }
    return try array.tensor().fromFileOrder(layout)
  }
}
