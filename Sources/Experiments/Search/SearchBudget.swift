import Tensors

/// What a chosen network may cost, such as `latency=1.2x` or `params=200000`.
struct SearchBudget {
  /// What is limited.
  enum Quantity: String, CaseIterable, Sendable {
    /// Milliseconds for one image.
    case latency
    /// Numbers.
    case params, macs
    /// Microjoules of one image's arithmetic.
    case energy

    /// The columns of networks.csv that hold it, the best one first.
    var columns: [String] {
      switch self {
      case .latency: ["latency_ms_predicted", "latency_ms_median"]
      case .params, .macs: [rawValue]
      case .energy: ["energy_uj"]
      }
    }
  }

  let quantity: Quantity
  /// As the user gave it.
  let text: String
  private let number: Double
  private let isFactor: Bool

  init(_ text: String) throws {
    let sides = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    isFactor = sides.last?.hasSuffix("x") == true
    guard sides.count == 2, let quantity = Quantity(rawValue: sides[0]),
      let number = Double(isFactor ? String(sides[1].dropLast()) : sides[1]), number > 0, number.isFinite
    else {
      throw WorkbenchError(
        "‘\(text)’ is not a budget; write it as latency=1.2x (times standard's), latency=0.3 (ms), params=200000, macs=2e6 or energy=0.9x."
      )
    }
    self.quantity = quantity
    self.text = text
    self.number = number
  }

  /// The most that is allowed.
  ///
  /// - Parameters:
  ///   - standard: what the standard network costs; nil if that is not known.
  ///   - place: where it would be known from.
  func limit(standard: Double?, in place: String) throws -> Double {
    guard isFactor else { return number }
    guard let standard else {
      throw WorkbenchError(
        "\(place) has no standard network, of which ‘\(text)’ is a factor; give a number.")
    }
    return number * standard
  }
}
