import Layers
import Tensors

/// RepVGG's block: in training a k×k, a 1×1 and the identity in parallel, in inference one k×k.
struct RepVGG: ComposedKernel {
  let name = "repvgg"
  let family = KernelFamily.weights
  let summary =
    "k×k, 1×1 and, if the shape stays, the identity, each normalised, in parallel; one k×k in inference"
  let formula = "y = bn₁(w ∗ x) + bn₂(v ∗ x) + bn₃(x), w k×k, v 1×1"
  let paper = "Ding et al., 2021, arXiv:2101.03697"
  let options: [any AnyKernelOption] = [KernelOptions.dilation]

  func biasRefusal(at site: KernelSite) -> String? { MergedBranches.biasRefusal(at: site, of: name) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    if site.geometry.taps == 1 { return try site.pointwise() }
    return try MergedBranches(
      site, of: name, printedName: "RepVGGBlock",
      windows: [("dense", site.geometry.kernel), ("point", Pair(1))], identity: true)
  }
}
