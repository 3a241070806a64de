/// What a forward pass in training keeps for the next backward pass, which uses it up.
public struct Saved<Value> {
  private var value: Value?

  /// Nothing is kept yet.
  public init() {}

  /// Keeps a value in training; in inference, leaves things as they are.
  public mutating func keep(_ value: Value, _ context: Context) {
    if context.training { self.value = value }
  }

  /// The value, which is no longer kept afterwards. There must be one: a backward pass without a forward pass in training
  /// is a mistake in the program.
  public mutating func take() -> Value {
    guard let value = value.take() else { preconditionFailure("backward needs a forward pass in training") }
    return value
  }
}
