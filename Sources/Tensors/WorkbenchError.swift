/// An error as one sentence that tells the user what is wrong and what to do.
public struct WorkbenchError: Error, CustomStringConvertible, Sendable {
  /// The sentence.
  public let description: String

  /// An error that says `message`.
  public init(_ message: String) { description = message }
}
