import Layers
import Tensors

/// A kernel around another one, which the option `around` names: `cbam:around=adder:dilation=2`.
protocol WrappingKernel: ComposedKernel {
  /// The kernel inside.
  var inner: KernelChoice { get }

  /// The same around another kernel.
  func around(_ inner: KernelChoice) -> Self

  /// What stands behind the kernel inside.
  func attention(_ site: KernelSite) throws -> [(name: String, layer: any Layer)]
}

extension WrappingKernel {
  var family: KernelFamily { .attention }

  var algorithms: [String] { inner.kernel.algorithms }

  /// For lists: `around` is read by the registry, since an item stands behind it.
  static var aroundOption: KernelOption {
    KernelOption(
      "around", .item, initial: "standard", help: "the kernel inside, with its own options behind it")
  }

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try inner.kernel.geometry(at: place, options: inner.options)
  }

  func remarks(_ options: KernelOptions) -> [String] { inner.kernel.remarks(inner.options) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    var place = site
    place.options = inner.options
    place.random = site.random.split("kernel")
    let kernel = try inner.kernel.makeLayer(place)
    return ComposedLayer(
      site, [("kernel", kernel)] + (try attention(site)), isExactOnIntegers: false,
      algorithm: kernel.algorithm)
  }
}
