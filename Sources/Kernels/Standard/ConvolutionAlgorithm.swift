import Compute
import Layers
import Tensors

/// One way to compute a convolution and its gradients: algorithms differ in speed and rounding, never in meaning.
protocol ConvolutionAlgorithm: AnyObject {
  /// Its name on the command line.
  var name: String { get }

  /// y from x. The shapes have been checked.
  func forward(_ x: Tensor, _ weight: Parameter, _ bias: Tensor?, threads: Int) -> Tensor

  /// dx from g = dy; x where the gradient depends on it.
  func inputGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, threads: Int) -> Tensor

  /// dw from g = dy and x.
  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, threads: Int) -> Tensor
}

/// The algorithms of the dense operators, by name.
enum ConvolutionAlgorithms {
  /// What `Standard` and its relatives can run on, fastest first.
  static let multiply = ["direct", "fft", "reference"]
  /// What the adder can run on: it has no Fourier form.
  static let adder = ["direct", "reference"]

  /// The algorithm called `name`, or the fastest; an error that says why there is none.
  static func make(
    _ name: String?, from names: [String], _ geometry: ConvolutionGeometry, _ combine: Combine
  ) throws -> any ConvolutionAlgorithm {
    let name = name ?? names[0]
    guard names.contains(name) else {
      throw WorkbenchError(
        "There is no algorithm ‘\(name)’ for this kernel; choose from \(names.joined(separator: ", ")).")
    }
    switch name {
    case "direct": return DirectConvolution(geometry, combine)
    case "fft":
      guard combine == .multiply else {
        throw WorkbenchError(
          "The algorithm fft multiplies spectra, so it cannot compute an adder; use direct.")
      }
      return try FourierConvolution(geometry)
    default: return ReferenceConvolution(geometry, combine)
    }
  }
}
