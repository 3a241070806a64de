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
  /// The kernels that the item joins by `+`, one for each stage or block of a network; empty if it joins none.
  private let joined: [KernelChoice]

  init(item: String, kernel: any Kernel, options: KernelOptions) {
    self.item = item
    self.kernel = kernel
    self.options = options
    joined = []
  }

  /// Kernels joined by `+`, two or more.
  init(item: String, joined: [KernelChoice]) {
    self.item = item
    kernel = JoinedKernels(choices: joined)
    options = KernelOptions()
    self.joined = joined
  }

  /// The kernels that the item joins by `+`, one for each stage or block of a network; itself if it joins none.
  package var parts: [KernelChoice] { joined.isEmpty ? [self] : joined }

  /// Why it cannot be applied outside a network, if it joins several kernels.
  package var operatorRefusal: String? { joined.isEmpty ? nil : "\(item) \(JoinedKernels.refusal)" }

  /// The choice inside all wrapping kernels; itself if there is none.
  public var innermost: KernelChoice { (kernel as? any WrappingKernel)?.inner.innermost ?? self }

  /// The plain convolution.
  public static var standard: KernelChoice {
    KernelChoice(item: "standard", kernel: Standard(), options: KernelOptions())
  }

  /// A new layer at a site with the kernel's own geometry and options.
  public func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    if site.bias, let refusal = kernel.biasRefusal(at: site) { throw WorkbenchError(refusal) }
    return try kernel.makeLayer(site)
  }

  /// A new layer that replaces a network's k×k convolution of geometry `place`.
  public func makeLayer(
    at place: ConvolutionGeometry, bias: Bool = false, algorithm: String? = nil, random: Random
  ) throws -> any KernelLayer {
    do {
      return try makeLayer(site(at: place, bias: bias, algorithm: algorithm, random: random))
    } catch let error as WorkbenchError {
      throw WorkbenchError("\(item): \(error)")
    }
  }

  /// Whether its layer at `place` can add a bias; also where there is no layer at all.
  public func takesBias(at place: ConvolutionGeometry) -> Bool {
    (try? site(at: place, bias: true, algorithm: nil, random: Random(seed: 0)))
      .map { kernel.biasRefusal(at: $0) == nil } ?? true
  }

  private func site(
    at place: ConvolutionGeometry, bias: Bool, algorithm: String?, random: Random
  ) throws -> KernelSite {
    KernelSite(
      geometry: try kernel.geometry(at: place, options: options), options: options, bias: bias,
      algorithm: algorithm, random: random)
  }
}

extension KernelChoice {
  /// The canonical item: its options in the kernel's order, without those that repeat a default. Equal operators, and
  /// equal networks of joined kernels, have equal texts.
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
