import Compute
import Layers
import Tensors

/// One way to compute a convolution and its gradients: algorithms differ in speed and rounding, never in meaning.
protocol ConvolutionAlgorithm: AnyObject {
  /// Its name on the command line.
  var name: String { get }

  /// y from x. The shapes have been checked.
  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor

  /// dx from g = dy, plus the summand if there is one; x where the gradient depends on it.
  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, adding summand: Tensor?, _ context: Context
  ) -> Tensor

  /// dw from g = dy and x.
  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor
}

/// The algorithms of the dense operators, by name.
enum ConvolutionAlgorithms {
  /// What `Standard` and its relatives can run on: first what serves everything.
  static let multiply = ["direct", "winograd", "winograd2", "depthwise", "fft", "reference"]
  /// What the stages of a composed kernel can run on.
  static let stages = ["direct", "winograd", "depthwise", "reference"]
  /// What pointwise convolutions can run on.
  static let pointwise = ["direct", "depthwise", "fft", "reference"]
  /// What the adder can run on: distances have no Fourier or Winograd form.
  static let adder = ["direct", "max", "reference"]

  /// The algorithm called `name`, or an error that says why there is none; without a name, the choice by shape.
  static func make(
    _ name: String?, from names: [String], _ geometry: ConvolutionGeometry, _ combine: Combination
  ) throws -> any ConvolutionAlgorithm {
    var name = name ?? "auto"
    if name == "auto" {
      // `direct` serves everything; where it is not among the names, the first of them is meant.
      if names.contains("direct") { return AutomaticConvolution(geometry, combine, names) }
      name = names[0]
    }
    guard names.contains(name) else {
      throw WorkbenchError(
        "There is no algorithm ‘\(name)’ for this kernel; choose from auto, \(names.joined(separator: ", "))."
      )
    }
    if combine == .adder, !adder.contains(name) {
      throw WorkbenchError(
        "The algorithm \(name) multiplies, so it cannot compute an adder; use direct.")
    }
    switch name {
    case "max": return DirectConvolution(geometry, combine, byMaxima: true)
    case "direct": return DirectConvolution(geometry, combine)
    case "winograd": return try WinogradConvolution(geometry, .four)
    case "winograd2": return try WinogradConvolution(geometry, .two)
    case "depthwise": return try DepthwiseConvolution(geometry)
    case "fft": return try FourierConvolution(geometry)
    case "reference": return ReferenceConvolution(geometry, combine)
    default: throw WorkbenchError("The algorithm ‘\(name)’ is listed, but nothing computes it.")
    }
  }
}
