/// The passes of a layer, as algorithms compute them.
public enum Pass: String, Sendable, CaseIterable, Codable {
  /// The output from the input.
  case forward
  /// The gradient to the input.
  case inputGradient
  /// The gradient to the weights.
  case weightGradient
}
