import Layers
import Tensors

/// A kernel with its options: an item of `--conv`.
public struct KernelChoice: Sendable {
  /// The item as given: the `kernel` column of every table.
  public let item: String
  /// The kernel.
  public let kernel: any Kernel
  /// Its options.
  public let options: KernelOptions

  /// The choice inside all wrappers, itself where there is none.
  public var innermost: KernelChoice { (kernel as? any WrappingKernel)?.inner.innermost ?? self }

  /// The plain convolution.
  static var standard: KernelChoice {
    KernelChoice(item: "standard", kernel: Standard(), options: KernelOptions())
  }

  /// A new layer where a network has a k×k convolution of geometry `place`.
  public func makeLayer(
    at place: ConvolutionGeometry, bias: Bool = false, algorithm: String? = nil, random: Random
  ) throws -> any KernelLayer {
    do {
      return try kernel.makeLayer(
        KernelSite(
          geometry: kernel.geometry(at: place, options: options), options: options, bias: bias,
          algorithm: algorithm, random: random))
    } catch let error as WorkbenchError {
      throw WorkbenchError("\(item): \(error)")
    }
  }
}

extension KernelChoice {
  /// The item with its options in the kernel's order and without those that only repeat a default: one text for one
  /// operator, and for one network of joined kernels.
  public var canonicalItem: String {
    if parts.count > 1 {
      let items = parts.map(\.canonicalItem)
      return Set(items).count == 1 ? items[0] : items.joined(separator: "+")
    }
    let inner = (kernel as? any WrappingKernel)?.inner.canonicalItem
    let own = kernel.options.compactMap { option -> String? in
      let text = option.isItem ? inner : option.canonical(options.text(of: option))
      return text.flatMap { $0 == option.initialText ? nil : "\(option.name)=\($0)" }
    }
    return ([kernel.name] + own).joined(separator: ":")
  }
}
