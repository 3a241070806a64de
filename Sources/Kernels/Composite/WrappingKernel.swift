import Layers
import Tensors

/// A kernel around another one, which an option names, ``KernelOptions/around``: `cbam:around=adder:dilation=2`.
public protocol WrappingKernel: ComposedKernel {
  /// The kernel inside.
  var inner: KernelChoice { get set }

  /// What comes after the kernel inside.
  func attention(_ site: KernelSite) throws -> [NamedLayer]
}

extension WrappingKernel {
  /// The same around another kernel.
  func around(_ inner: KernelChoice) -> Self {
    var copy = self
    copy.inner = inner
    return copy
  }

  public var family: KernelFamily { .attention }

  public var algorithms: [String] { inner.kernel.algorithms }

  public func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try inner.kernel.geometry(at: place, options: inner.options)
  }

  public func remarks(_ options: KernelOptions) -> [String] { inner.kernel.remarks(inner.options) }

  public func biasRefusal(at site: KernelSite) -> String? {
    var place = site
    place.options = inner.options
    return inner.kernel.biasRefusal(at: place)
  }

  public func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    var place = site
    place.options = inner.options
    place.random = site.random.split("kernel")
    let kernel = try inner.makeLayer(place)
    // The kernel's algorithms are not those of the convolutions after it.
    var after = site
    after.algorithm = site.algorithmOfOtherParts
    return ComposedLayer(
      site, [("kernel", kernel)] + (try attention(after)), algorithm: kernel.algorithm, around: kernel)
  }
}
