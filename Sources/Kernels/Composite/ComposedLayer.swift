import Layers
import Tensors

/// A kernel composed of several layers with their own weights.
public protocol ComposedKernel: Kernel {}

extension ComposedKernel {
  /// The algorithms for the convolutions inside; auto: each chooses by its shape.
  public var algorithms: [String] { ["auto", "direct", "reference"] }

  /// There is no single weight to give.
  public func site(for request: OperatorRequest) throws -> KernelSite {
    throw WorkbenchError(
      "\(name) is composed of several layers that each have weights; give them by name with --weights."
    )
  }
}

/// A layer that may wrap a kernel that replaces a convolution.
public protocol WrapsKernel: Layer {
  /// That kernel, if there is one.
  var wrapped: (any KernelLayer)? { get }
}

/// Layers, in sequence or in parallel, as one kernel, which has one row in a network's tables.
public final class ComposedLayer: KernelLayer, Wrapper, WrapsKernel, TakesOperands {
  public let geometry: ConvolutionGeometry
  public let algorithm: String
  public let inner: any Layer
  public let wrapped: (any KernelLayer)?

  /// A kernel that does what `body` does.
  ///
  /// - Parameters:
  ///   - site: its geometry and algorithm.
  ///   - body: the layers that it consists of.
  ///   - algorithm: its algorithm, if it is not the site's.
  ///   - wrapped: the kernel that replaces the convolution, if the rest is around it.
  public init(
    _ site: KernelSite, _ body: any Layer, algorithm: String? = nil, around wrapped: (any KernelLayer)? = nil
  ) {
    geometry = site.geometry
    self.algorithm = algorithm ?? site.algorithm ?? "auto"
    inner = body
    self.wrapped = wrapped
  }

  /// Layers in sequence, named.
  public convenience init(
    _ site: KernelSite, _ stages: [NamedLayer], algorithm: String? = nil,
    around wrapped: (any KernelLayer)? = nil
  ) {
    self.init(site, Sequential(stages), algorithm: algorithm, around: wrapped)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try inner.outputShape(for: input)
    guard try output == geometry.outputShape(for: input) else {
      throw WorkbenchError(
        "Its layers give \(output) instead of \(try geometry.outputShape(for: input)); use padding that keeps the size."
      )
    }
    return output
  }
}

/// The choice is that of the kernel that it is around. Several convolutions side by side choose one by one.
extension ComposedLayer: ChoosesAlgorithm {
  public func algorithm(for input: FeatureShape, _ pass: Pass, _ context: Context) -> String? {
    (wrapped as? any ChoosesAlgorithm)?.algorithm(for: input, pass, context)
  }

  public func refusal(of algorithm: String, for input: FeatureShape) -> String? {
    (wrapped as? any ChoosesAlgorithm)?.refusal(of: algorithm, for: input)
  }

  public func isExactOnIntegers(_ algorithm: String) -> Bool {
    (wrapped as? any ChoosesAlgorithm)?.isExactOnIntegers(algorithm)
      ?? (algorithm == DirectOrReference.direct.rawValue)
  }
}

extension KernelSite {
  /// A convolution inside a composed kernel, with the site's algorithm and its own weights.
  public func convolution(_ name: String, _ geometry: ConvolutionGeometry, bias: Bool = false) throws
    -> NamedLayer
  {
    let inner = KernelSite(geometry: geometry, bias: bias, algorithm: algorithm, random: random.split(name))
    return (name, try ConvolutionLayer(inner))
  }

  /// What kernels with larger windows become if the place is a 1×1 convolution: a 1×1 convolution.
  public func pointwise() throws -> ConvolutionLayer {
    try ConvolutionLayer(self)
  }

  /// Convolutions in sequence, optionally with ReLUs between them. Only the last has the site's bias, if there is
  /// one, unless all have biases.
  public func stages(
    _ stages: [(name: String, geometry: ConvolutionGeometry)], rectified: Bool, allBiased: Bool = false
  ) throws -> [NamedLayer] {
    try stages.enumerated().flatMap { index, stage -> [NamedLayer] in
      let isLast = index == stages.count - 1
      let convolution = try convolution(stage.name, stage.geometry, bias: allBiased || bias && isLast)
      return rectified && !isLast ? [convolution, ("relu\(index + 1)", ReLU())] : [convolution]
    }
  }
}

extension ConvolutionGeometry {
  /// The geometry of a 1×1 convolution; by default with this one's channels.
  public func pointwise(from inputs: Int? = nil, to outputs: Int? = nil) throws -> ConvolutionGeometry {
    try ConvolutionGeometry(
      inputChannels: inputs ?? inputChannels, outputChannels: outputs ?? outputChannels, kernel: Pair(1))
  }

  /// This geometry with another odd square window about the same centres, with its taps `factor` times as far apart.
  public func centered(
    _ window: Int, from inputs: Int? = nil, to outputs: Int? = nil, stride: Pair? = nil,
    dilated factor: Int = 1
  ) throws -> ConvolutionGeometry {
    let taps = Pair(dilation.height * factor, dilation.width * factor)
    return try with(inputChannels: inputs, outputChannels: outputs, stride: stride, dilation: taps)
      .centered(Pair(window))
  }

  /// This geometry with another odd window about the same centres.
  public func centered(_ window: Pair) throws -> ConvolutionGeometry {
    let taps = Pair(window.height == 1 ? 1 : dilation.height, window.width == 1 ? 1 : dilation.width)
    return try with(
      kernel: window, padding: Padding(Pair(window.height / 2 * taps.height, window.width / 2 * taps.width)),
      dilation: taps)
  }

  /// This geometry with the window that the options give, if any; a 1×1 place keeps its own.
  public func windowed(by options: KernelOptions) throws -> ConvolutionGeometry {
    guard options.isGiven(KernelOptions.window), taps > 1 else { return self }
    try checkKeepsSize()
    return try centered(options[KernelOptions.window])
  }

  /// Refuses a place whose padding does not keep the image's size.
  public func checkKeepsSize() throws {
    let same = Padding(Pair(dilation.height * (kernel.height / 2), dilation.width * (kernel.width / 2)))
    guard kernel.height % 2 == 1, kernel.width % 2 == 1, padding == same else {
      throw WorkbenchError(
        "It keeps the image's size, so it needs an odd window and padding \(same), not \(padding).")
    }
  }
}
