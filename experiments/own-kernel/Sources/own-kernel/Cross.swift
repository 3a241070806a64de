import Compute
import Kernels
import Layers
import Tensors

/// A cross-shaped window: k×1 and 1×k convolutions side by side, summed.
struct Cross: Kernel {
  let name = "cross"
  let summary = "k×1 and 1×k convolutions side by side, summed"
  let formula = "y[p, o] = Σ over t, c of x[p·s + (t, 0), c] · v[t, c, o] + x[p·s + (0, t), c] · h[t, c, o]"
  let paper = "an example"
  let algorithms = ["direct", "reference"]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer { try CrossLayer(site) }
}

final class CrossLayer: KernelLayer {
  let geometry: ConvolutionGeometry
  private let vertical, horizontal: ConvolutionLayer

  init(_ site: KernelSite) throws {
    geometry = site.geometry
    var line = site
    let padding = geometry.padding
    line.geometry = try geometry.with(
      kernel: Pair(geometry.kernel.height, 1),
      padding: Padding(top: padding.top, left: 0, bottom: padding.bottom, right: 0))
    line.random = site.random.split("vertical")
    vertical = try ConvolutionLayer(line, algorithms: ["direct", "reference"])
    line.geometry = try geometry.with(
      kernel: Pair(1, geometry.kernel.width),
      padding: Padding(top: 0, left: padding.left, bottom: 0, right: padding.right))
    line.random = site.random.split("horizontal")
    line.bias = false
    horizontal = try ConvolutionLayer(line, algorithms: ["direct", "reference"])
  }

  var algorithm: String { vertical.algorithm }
  var children: [(name: String, layer: any Layer)] { [("vertical", vertical), ("horizontal", horizontal)] }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try vertical.outputShape(for: input)
    guard try horizontal.outputShape(for: input) == output else {
      throw WorkbenchError("cross needs padding that keeps the image's size.")
    }
    return output
  }

  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let sum = pass == .backward ? input : try outputShape(for: input)
    return try vertical.cost(for: input, pass: pass) + horizontal.cost(for: input, pass: pass)
      + Cost(adds: sum.count)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    .sum(vertical.forward(input, context), horizontal.forward(input, context), threads: context.threads)
  }

  func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    .sum(
      vertical.backward(gradient, context), horizontal.backward(gradient, context), threads: context.threads)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    let a = vertical.reference(input, parameters.dropLast())
    let b = horizontal.reference(input, parameters.suffix(1))
    return Tensor64(zip(a.values, b.values).map { $0 + $1 }, a.shape)
  }
}
