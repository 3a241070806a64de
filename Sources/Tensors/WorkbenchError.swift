/// An error as one sentence that tells the user what is wrong and what to do.
public struct WorkbenchError: Error, CustomStringConvertible, Sendable {
  /// The sentence, on one line: it may repeat arbitrary user input, which is cut if it is very long.
  public let description: String

  /// An error that says `message`.
  public init(_ message: String) { description = message.onOneLine.shortened(to: Self.longest) }

  /// The longest sentence, in Unicode scalars.
  package static let longest = 2000
}
