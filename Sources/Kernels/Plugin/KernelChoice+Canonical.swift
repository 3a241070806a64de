extension KernelChoice {
  /// The item with its options in the kernel's order and without those that only repeat a default: one text for one
  /// operator.
  public var canonicalItem: String {
    let own = kernel.options.compactMap { option -> String? in
      guard let value = options.value(option.name), option.kind != .item else { return nil }
      let text = option.kind.canonical(value)
      return text == option.kind.canonical(option.initial) ? nil : "\(option.name)=\(text)"
    }
    let inner = (kernel as? any WrappingKernel)?.inner.canonicalItem
    return ([kernel.name] + own + (inner.map { $0 == "standard" ? [] : ["around=\($0)"] } ?? []))
      .joined(separator: ":")
  }
}

extension KernelOption.Kind {
  /// One text for one value: `2x2` and `02` are 2.
  fileprivate func canonical(_ value: String) -> String {
    switch self {
    case .count, .list: KernelOptions.list(value).map { $0.map(String.init).joined(separator: "-") } ?? value
    case .size, .oddSize:
      Pair(text: value).map { $0.height == $0.width ? "\($0.height)" : "\($0.height)x\($0.width)" } ?? value
    case .number: Double(value).map { "\($0)" } ?? value
    case .item, .choice: value
    }
  }
}
