import Tensors

/// Two extents, vertical first.
public struct Pair: Hashable, Sendable, CustomStringConvertible {
  /// The vertical extent.
  public var height: Int
  /// The horizontal extent.
  public var width: Int

  /// A pair of extents.
  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  /// The same extent in both directions.
  public init(_ both: Int) { self.init(both, both) }

  /// `3x3`, as the command line takes it.
  public var description: String { "\(height)x\(width)" }
}

/// Rows and columns of zeros around an image.
public struct Padding: Hashable, Sendable, CustomStringConvertible {
  /// Rows above.
  public var top: Int
  /// Columns on the left.
  public var left: Int
  /// Rows below.
  public var bottom: Int
  /// Columns on the right.
  public var right: Int

  /// Padding for each side.
  public init(top: Int, left: Int, bottom: Int, right: Int) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }

  /// The same padding on opposite sides.
  public init(_ pair: Pair) {
    self.init(top: pair.height, left: pair.width, bottom: pair.height, right: pair.width)
  }

  /// `1x1` where opposite sides are equal, else `top,left,bottom,right`.
  public var description: String {
    top == bottom && left == right ? "\(top)x\(left)" : "\(top),\(left),\(bottom),\(right)"
  }
}

/// The checked geometry of a convolution in a network: everything but its weights.
public struct ConvolutionGeometry: Hashable, Sendable {
  /// Channels of the input, all groups together.
  public let inputChannels: Int
  /// Channels of the output, all groups together.
  public let outputChannels: Int
  /// The window's height and width, in taps.
  public let kernel: Pair
  /// Stride: the step between neighbouring windows.
  public let stride: Pair
  /// Zeros around the image.
  public let padding: Padding
  /// Dilation: the step between neighbouring taps.
  public let dilation: Pair
  /// Groups of channels that are convolved separately.
  public let groups: Int

  /// A geometry.
  ///
  /// - Throws: a `WorkbenchError` for sizes that are not those of a convolution.
  public init(
    inputChannels: Int, outputChannels: Int, kernel: Pair, stride: Pair = Pair(1),
    padding: Padding = Padding(Pair(0)), dilation: Pair = Pair(1), groups: Int = 1
  ) throws {
    let limit = 1 << 30
    func check(_ value: Int, _ name: String, atLeast least: Int) throws {
      guard value >= least else { throw WorkbenchError("\(name) is \(value); it must be at least \(least).") }
      guard value <= limit else { throw WorkbenchError("\(name) is \(value); it must be at most \(limit).") }
    }
    try check(inputChannels, "The number of input channels", atLeast: 1)
    try check(outputChannels, "The number of output channels", atLeast: 1)
    try check(groups, "The number of groups", atLeast: 1)
    for (name, pair) in [("kernel size", kernel), ("stride", stride), ("dilation", dilation)] {
      try check(pair.height, "The \(name)", atLeast: 1)
      try check(pair.width, "The \(name)", atLeast: 1)
    }
    for side in [padding.top, padding.left, padding.bottom, padding.right] {
      try check(side, "The padding", atLeast: 0)
    }
    guard inputChannels % groups == 0, outputChannels % groups == 0 else {
      throw WorkbenchError(
        "\(groups) groups do not divide \(inputChannels) input and \(outputChannels) output channels.")
    }
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    try Tensor.checkSize(weightShape, "The weight")
  }

  /// The number of taps of the window.
  public var taps: Int { kernel.height * kernel.width }
  /// How far a tap lies from the window's first, in rows and columns of the input.
  @inline(__always)
  func reach(ofTap tap: Int) -> (y: Int, x: Int) {
    (tap / kernel.width * dilation.height, tap % kernel.width * dilation.width)
  }
  /// Input channels that an output reads.
  public var channelsPerGroup: Int { inputChannels / groups }
  /// Output channels of a group.
  public var outputsPerGroup: Int { outputChannels / groups }
  /// `[kernel height, kernel width, input channels / groups, output channels]`.
  public var weightShape: [Int] { [kernel.height, kernel.width, channelsPerGroup, outputChannels] }

  /// The output's shape for an input; throws the reason why an input does not fit.
  ///
  /// Each extent is (in + padding − dilation · (kernel − 1) − 1) / stride + 1, rounded down.
  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.channels == inputChannels else {
      throw WorkbenchError("The input has \(input.channels) channels, not the expected \(inputChannels).")
    }
    func extent(_ name: String, _ size: Int, _ padding: Int, _ kernel: Int, _ stride: Int, _ dilation: Int)
      throws -> Int
    {
      guard size >= 1 else { throw WorkbenchError("The input's \(name) is \(size); it must be at least 1.") }
      let reach = dilation * (kernel - 1) + 1
      guard size + padding >= reach else {
        throw WorkbenchError(
          "The window spans \(reach) pixels, but the padded input's \(name) is \(size + padding); use more padding."
        )
      }
      return (size + padding - reach) / stride + 1
    }
    let shape = FeatureShape(
      batch: input.batch,
      height: try extent(
        "height", input.height, padding.top + padding.bottom, kernel.height, stride.height, dilation.height),
      width: try extent(
        "width", input.width, padding.left + padding.right, kernel.width, stride.width, dilation.width),
      channels: outputChannels)
    guard input.batch >= 1 else {
      throw WorkbenchError("The input's batch is \(input.batch); it must be at least 1.")
    }
    try Tensor.checkSize(shape.extents, "The output")
    return shape
  }

  /// The number of products of the definition for an input; throws the reason why an input does not fit.
  public func terms(_ input: FeatureShape) throws -> Int {
    try outputShape(for: input).count * taps * channelsPerGroup
  }

  /// This geometry with its taps `factor` times as far apart, padded to keep the size.
  public func dilated(by factor: Pair) throws -> ConvolutionGeometry {
    try with(
      padding: Padding(
        top: padding.top * factor.height, left: padding.left * factor.width,
        bottom: padding.bottom * factor.height, right: padding.right * factor.width),
      dilation: Pair(dilation.height * factor.height, dilation.width * factor.width))
  }

  /// This geometry with some values replaced.
  public func with(
    inputChannels: Int? = nil, outputChannels: Int? = nil, kernel: Pair? = nil, stride: Pair? = nil,
    padding: Padding? = nil, dilation: Pair? = nil, groups: Int? = nil
  ) throws -> ConvolutionGeometry {
    try ConvolutionGeometry(
      inputChannels: inputChannels ?? self.inputChannels,
      outputChannels: outputChannels ?? self.outputChannels,
      kernel: kernel ?? self.kernel, stride: stride ?? self.stride, padding: padding ?? self.padding,
      dilation: dilation ?? self.dilation, groups: groups ?? self.groups)
  }
}

extension ConvolutionGeometry {
  /// The arguments of a convolution as PyTorch prints them; a padding that differs from side to side is
  /// (top, left, bottom, right).
  func printed(bias: Bool) -> String {
    var text = "\(inputChannels), \(outputChannels), kernel_size=\(kernel.printed), stride=\(stride.printed)"
    let isEven = padding.top == padding.bottom && padding.left == padding.right
    let sides =
      isEven ? [padding.top, padding.left] : [padding.top, padding.left, padding.bottom, padding.right]
    if sides.contains(where: { $0 != 0 }) {
      text += ", padding=(\(sides.map(String.init).joined(separator: ", ")))"
    }
    if dilation != Pair(1) { text += ", dilation=\(dilation.printed)" }
    if groups != 1 { text += ", groups=\(groups)" }
    return bias ? text : text + ", bias=False"
  }
}

extension Pair {
  /// As Python prints a tuple.
  fileprivate var printed: String { "(\(height), \(width))" }
}

extension ConvolutionGeometry {
  /// The output's shape for an input that has passed `outputShape`.
  public func checkedOutput(_ input: FeatureShape) -> FeatureShape {
    guard let shape = try? outputShape(for: input) else { preconditionFailure("unchecked input \(input)") }
    return shape
  }

  /// The same with stride 1.
  var withUnitStride: ConvolutionGeometry { (try? with(stride: Pair(1))) ?? self }
}

extension Tensor {
  /// Why an array of this shape cannot be made, or nil.
  static func refusal(_ shape: [Int], _ name: String) -> String? {
    do { try checkSize(shape, name) } catch { return "\(error)" }
    return nil
  }
}
