extension Decoder {
  /// A list of `count` whole numbers.
  package func integers(_ count: Int) throws -> [Int] {
    let numbers = try singleValueContainer().decode([Int].self)
    guard numbers.count == count else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: codingPath, debugDescription: "\(count) numbers were expected, not \(numbers.count)"))
    }
    return numbers
  }
}
