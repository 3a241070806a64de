import Layers
import Tensors

/// The star operation: two convolutions, multiplied elementwise.
struct Star: ComposedKernel {
  let name = "star"
  let family = KernelFamily.stages
  let summary = "two k×k convolutions in parallel, multiplied elementwise"
  let formula = "y = relu6(w₁ ∗ x + b₁) · (w₂ ∗ x + b₂)"
  let paper = "Ma et al., 2024, arXiv:2403.19967"
  let options: [any AnyKernelOption] = [activation, KernelOptions.dilation]

  private enum Activation: String, CaseIterable { case relu6, none }

  private static let activation = KernelOption(
    "activation", .word, initial: Activation.relu6,
    help: "the activation of the first, as in StarNet; none: the product alone"
  )

  func biasRefusal(at site: KernelSite) -> String? {
    "star has a bias in each of its convolutions; leave that of the place out."
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let first = try site.convolution("f1", site.geometry, bias: true).layer
    let isBare = site.options[Self.activation] == .none
    return ComposedLayer(
      site,
      Branches(
        [
          ("", Sequential([("f1", first)] + (isBare ? [] : [("act", ReLU6())]))),
          try site.convolution("f2", site.geometry, bias: true),
        ], join: .product))
  }
}
