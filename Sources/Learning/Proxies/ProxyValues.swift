/// The proxies of a network, or why it has none.
package struct ProxyValues: Hashable, Sendable, Codable {
  /// The finite values.
  package var values: [Proxy: Double] = [:]
  /// A sentence for each of the others that was asked for.
  package var reasons: [Proxy: String] = [:]

  /// No values.
  package init() {}

  /// The reasons in one line.
  package var note: String {
    Proxy.allCases.compactMap { proxy in reasons[proxy].map { "\(proxy.rawValue): \($0)" } }
      .joined(separator: " ")
  }

  mutating func set(_ proxy: Proxy, _ result: Result<Double, ProxyRefusal>) {
    switch result {
    case .success(let value) where value.isFinite: values[proxy] = value
    case .success: reasons[proxy] = "its value is infinite or not a number."
    case .failure(let refusal): reasons[proxy] = refusal.reason
    }
  }
}

/// Why a network has no value of a proxy: a sentence.
struct ProxyRefusal: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}
