import Layers
import Tensors

/// Central difference convolution: a share of each product uses the difference to the centre pixel.
struct CentralDifference: Kernel {
  let name = "central-difference"
  let family = KernelFamily.weights
  let summary = "k×k convolution of the pixels and, by a share, of their differences from the middle one"
  let formula = "y[p, o] = Σ over t, c of (x[p·s + t, c] − θ · x[p·s, c]) · w[t, c, o]"
  let paper = "Yu et al., 2020, arXiv:2003.04092"
  let options: [any AnyKernelOption] = [theta, KernelOptions.window, KernelOptions.dilation]

  private static let theta = KernelOption(
    "theta", .number(0...1), initial: 0.7, help: "the share of the differences; 0: the plain convolution")

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let window = site.geometry.kernel
    guard window.height % 2 == 1, window.width % 2 == 1 else {
      throw WorkbenchError("central-difference needs an odd window, which has a centre, not \(window).")
    }
    if site.geometry.taps == 1 { return try site.pointwise() }
    return try ConvolutionLayer(site, transform: MiddleDifference(theta: site.options[Self.theta]))
  }
}

/// The centre tap loses θ times the sum over the window: w′ = w − θ · Σ w at the centre.
struct MiddleDifference: FilterTransform {
  let theta: Double
  let printedPrefix = "CentralDifference"

  func filter(_ w: Tensor64) -> Tensor64 {
    let pairs = w.shape[2] * w.shape[3], middle = w.values.count / pairs / 2 * pairs
    var result = w
    for (index, value) in w.values.enumerated() { result.values[middle + index % pairs] -= theta * value }
    return result
  }

  func gradient(_ w: Tensor64, _ gradient: Tensor64) -> Tensor64 {
    let pairs = w.shape[2] * w.shape[3], middle = w.values.count / pairs / 2 * pairs
    var result = gradient
    for index in w.values.indices { result.values[index] -= theta * gradient.values[middle + index % pairs] }
    return result
  }

  /// A product and its subtraction for each weight.
  func makingCost(_ shape: [Int], backward: Bool) -> Cost { Cost(macs: shape.reduce(1, *)) }
}
