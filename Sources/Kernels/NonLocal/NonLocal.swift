import Layers
import Tensors

/// Non-local attention: every pixel reads all others, weighted by similarity.
struct NonLocal: ComposedKernel {
  let name = "non-local"
  let family = KernelFamily.attention
  let summary =
    "x plus a normalised mean over all pixels, weighted by similarity; starts as the identity if the shape stays"
  let formula = "z = x + BN(w · Σ over q of f(x[p], x[q]) · g(x[q]) / C), f embedded: exp(θ(x[p])ᵀ φ(x[q]))"
  let paper = "Wang et al., 2017, arXiv:1711.07971"
  let options: [any AnyKernelOption] = [form, subsample]

  private static let form = KernelOption(
    "form", .word, initial: PairwiseAttention.Form.embedded,
    help: "f: embedded, gaussian: softmax of products; dot: products; concatenation: relu(w · [θ, φ])")
  private static let subsample = KernelOption(
    "subsample", .count, initial: 2, help: "keys and values are max-pooled over N×N pixels; 1: all pixels")

  /// It reads all pixels, so the dilation has no meaning.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.checkKeepsSize()
    return try place.with(kernel: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1), groups: 1)
  }

  func biasRefusal(at site: KernelSite) -> String? {
    "non-local has a normalisation instead of a bias; leave the bias out."
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    let attention = try PairwiseAttention(
      site, site.options[Self.form], subsample: site.options[Self.subsample])
    let normalization = BatchNormalization(channels: whole.outputChannels)
    normalization.weight.value = Tensor(repeating: 0, [whole.outputChannels])
    // If the block cannot be the identity, the shortcut is a 1×1 convolution.
    let keeps = whole.inputChannels == whole.outputChannels && whole.stride == Pair(1)
    return ComposedLayer(
      site,
      Residual(
        [
          ("attention", attention),
          try site.convolution("w", whole.pointwise(from: attention.width)), ("bn", normalization),
        ], shortcut: keeps ? nil : try site.convolution("shortcut", whole)))
  }
}
