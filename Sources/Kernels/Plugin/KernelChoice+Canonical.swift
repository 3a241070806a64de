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
