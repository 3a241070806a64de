import Layers
import Tensors

/// The active shift: each channel moves by a learned distance, whole or not.
struct ActiveShift: Kernel {
  let name = "active-shift"
  let family = KernelFamily.positions
  let summary = "each channel moves by a learned distance, bilinearly; a 1×1 follows where channels change"
  let formula = "y[p, c] = x(p·s + Δ[c], c)"
  let paper = "Jeon and Kim, 2018, arXiv:1806.07370"
  let options: [any AnyKernelOption] = [Shift.pointwise]
  let algorithms = DirectOrReference.names

  /// As for `shift`: alone it mixes no channels.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try Shift.geometry(at: place, options)
  }

  func site(for request: OperatorRequest) throws -> KernelSite {
    KernelSite(
      geometry: try ConvolutionGeometry(
        inputChannels: request.inputChannels, outputChannels: request.inputChannels, kernel: Pair(1),
        stride: request.stride), options: request.options, algorithm: request.algorithm)
  }

  func biasRefusal(at site: KernelSite) -> String? {
    Shift.mixes(site.geometry, site.options)
      ? nil : "active-shift has no bias without a 1×1 after it; leave it out."
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    try whole.checkKeepsSize()
    let window = try whole.with(
      outputChannels: whole.inputChannels, kernel: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1),
      groups: whole.inputChannels)
    let shift = try ActiveShiftLayer(
      KernelSite(geometry: window, algorithm: site.algorithm, random: site.random.split("shift")))
    guard Shift.mixes(whole, site.options) else { return shift }
    let pointwise = try site.convolution(
      "pointwise", whole.pointwise().with(groups: whole.groups), bias: site.bias)
    return ComposedLayer(
      site, [("shift", shift), pointwise], algorithm: shift.algorithm)
  }
}
