/// What a forward pass in training keeps for the next backward pass, which takes it out.
public struct Saved<Value> {
  private var value: Value?

  /// Nothing is kept yet.
  public init() {}

  /// Keeps a value in training; in inference, leaves things as they are.
  public mutating func keep(_ value: Value, _ context: Context) {
    if context.training { self.value = value }
  }

  /// Returns the value and no longer keeps it. There must be one: a backward pass without a forward pass in training
  /// is a programming error.
  public mutating func take() -> Value {
    guard let value = value.take() else { preconditionFailure("backward needs a forward pass in training") }
    return value
  }
}
