/// An error as one sentence that tells the user what is wrong and what to do.
public struct WorkbenchError: Error, CustomStringConvertible, Sendable {
  /// The sentence, on one line: what it repeats of the user's can hold anything, and is cut where it is very long.
  public let description: String

  /// An error that says `message`.
  public init(_ message: String) { description = message.onOneLine.shortened(to: Self.longest) }

  /// The longest sentence, in Unicode scalars.
  package static let longest = 2000
}
