extension Sequence {
  /// The elements whose key no earlier element has, in order.
  package func uniqued<Key: Hashable>(by key: (Element) throws -> Key) rethrows -> [Element] {
    var seen: Set<Key> = []
    return try filter { seen.insert(try key($0)).inserted }
  }
}

extension Sequence where Element: Hashable {
  /// The elements that no earlier one equals, in order.
  package func uniqued() -> [Element] { uniqued { $0 } }
}
