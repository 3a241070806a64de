import Tensors

extension Pair {
  /// A size as the command line takes it, `N` or `HxW`, at most 1048576 each; nil for anything else.
  package init?(text: String) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil
    }
    guard numbers.count == parts.count, (1...2).contains(parts.count), numbers.allSatisfy({ $0 <= 1 << 20 })
    else {
      return nil
    }
    self.init(numbers[0], numbers[numbers.count - 1])
  }

  /// `N` where both are equal, else `HxW`.
  package var short: String { height == width ? "\(height)" : description }
}

extension SettingForm<Pair> {
  /// `N` or `HxW`.
  package static func size(_ range: ClosedRange<Int>) -> Self {
    .init(
      "size", "N or HxW, each from \(range.lowerBound) to \(range.upperBound)", write: \.short
    ) {
      Pair(text: $0).flatMap { range.contains($0.height) && range.contains($0.width) ? $0 : nil }
    }
  }

  /// `N` or `HxW`, odd.
  package static func oddSize(_ range: ClosedRange<Int>) -> Self {
    let size = Self.size(range)
    return .init(
      "size", "N or HxW, odd, from \(range.lowerBound) to \(range.upperBound)", write: \.short
    ) {
      size.value($0).flatMap { $0.height % 2 == 1 && $0.width % 2 == 1 ? $0 : nil }
    }
  }
}
