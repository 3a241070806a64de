/// A layer for which PyTorch's `print(model)` does not simply print the type's name and the children.
public protocol TorchPrinted: Layer {
  /// What PyTorch calls this kind of layer; by default the type's name.
  var printedName: String { get }
  /// What PyTorch prints in the layer's parentheses; nothing by default.
  var printedArguments: String { get }
  /// The layers that PyTorch prints inside it, in PyTorch's order; by default the children, with unnamed ones
  /// replaced by what is inside them.
  var printedChildren: [NamedLayer] { get }
}

extension TorchPrinted {
  public var printedName: String { String(describing: type(of: self)) }
  public var printedArguments: String { "" }
  public var printedChildren: [NamedLayer] { shownChildren }
}

extension Layer {
  /// What PyTorch calls this kind of layer, or the type's name.
  public var typeName: String {
    (self as? any TorchPrinted)?.printedName ?? String(describing: type(of: self))
  }

  /// The tree of layers as PyTorch's `print(model)` writes it.
  public var printed: String {
    let printed = self as? any TorchPrinted, arguments = printed?.printedArguments ?? ""
    let children = printed?.printedChildren ?? shownChildren
    guard !children.isEmpty else { return "\(typeName)(\(arguments))" }
    let lines =
      (arguments.isEmpty ? [] : [arguments])
      + children.map { "(\($0.name)): " + $0.layer.printed.split(separator: "\n").joined(separator: "\n  ") }
    return "\(typeName)(\n" + lines.map { "  \($0)\n" }.joined() + ")"
  }

  /// The children that are printed; unnamed ones are replaced by what is inside them.
  fileprivate var shownChildren: [NamedLayer] {
    children.flatMap { child in
      guard child.name.isEmpty else { return [child] }
      return (child.layer as? any TorchPrinted)?.printedChildren ?? child.layer.shownChildren
    }
  }
}
