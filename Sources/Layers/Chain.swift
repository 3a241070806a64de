/// A container whose children run one behind the other, each on the output of the one before.
public protocol Chain: Container {}

extension Chain {
  /// The layers that it is a plain sequence of, those of the chains in it in their place.
  public var links: [any Layer] {
    children.flatMap { child in (child.layer as? any Chain)?.links ?? [child.layer] }
  }
}
