extension KernelChoice {
  /// The item with its options in the kernel's order and without those that only repeat a default: one text for one
  /// operator.
  public var canonicalItem: String {
    let inner = (kernel as? any WrappingKernel)?.inner.canonicalItem
    let own = kernel.options.compactMap { option -> String? in
      let text = option.isItem ? inner : option.canonical(options.text(of: option))
      return text.flatMap { $0 == option.initialText ? nil : "\(option.name)=\($0)" }
    }
    return ([kernel.name] + own).joined(separator: ":")
  }
}
