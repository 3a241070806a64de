/// How the values of a setting, or of a kernel's option, are written.
public struct SettingForm<Value>: Sendable {
  /// The placeholder of a value in help, such as `n`; empty if the setting's name alone turns it on.
  package let placeholder: String
  /// What a value must be, in words, such as `a whole number from 1 to 8`.
  public let words: String
  /// The words to choose from, if there are only some.
  package let choices: [String]
  /// The value of a text, or of the texts of a list; nil if they are none.
  let read: @Sendable ([String]) throws -> Value?
  /// The canonical text of a value.
  let write: @Sendable (Value) -> String

  /// A form of values that are written as one text.
  ///
  /// - Parameters:
  ///   - words: what a value must be.
  ///   - read: the value of a text; nil if it is none.
  public init(
    _ placeholder: String, _ words: String, choices: [String] = [],
    write: @escaping @Sendable (Value) -> String, read: @escaping @Sendable (String) throws -> Value?
  ) {
    self.init(list: placeholder, words, choices: choices, write: write) {
      $0.count == 1 ? try read($0[0]) : nil
    }
  }

  /// A form of values that are written as a list.
  package init(
    list placeholder: String, _ words: String, choices: [String] = [],
    write: @escaping @Sendable (Value) -> String, read: @escaping @Sendable ([String]) throws -> Value?
  ) {
    self.placeholder = placeholder
    self.words = words
    self.choices = choices
    self.read = read
    self.write = write
  }

  /// The value of a text; nil if it is none.
  package func value(_ text: String) -> Value? { (try? read([text])) ?? nil }

  /// A value as it is written.
  package func text(_ value: Value) -> String { write(value) }
}

extension SettingForm<Int> {
  /// A whole number.
  public static func whole(_ range: ClosedRange<Int>) -> Self {
    .init("n", "a whole number from \(range.lowerBound) to \(range.upperBound)", write: { "\($0)" }) {
      Int($0).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// A whole number of at least 1.
  public static var count: Self { .whole(1...1 << 20) }

  /// An odd number.
  public static func odd(_ range: ClosedRange<Int>) -> Self {
    let words = "an odd number from \(range.lowerBound) to \(range.upperBound), so that it has a centre"
    return .init("n", words, write: { "\($0)" }) {
      Int($0).flatMap { range.contains($0) && $0 % 2 == 1 ? $0 : nil }
    }
  }

  /// One of some numbers.
  public static func oneOf(_ numbers: [Int]) -> Self {
    let texts = numbers.map(String.init)
    return .init("n", texts.alternatives, choices: texts, write: { "\($0)" }) {
      Int($0).flatMap { numbers.contains($0) ? $0 : nil }
    }
  }
}

extension SettingForm<[Int]> {
  /// Whole numbers of at least 1 joined by hyphens, with a range for their number.
  public static func list(_ counts: ClosedRange<Int>) -> Self {
    let many = counts.count == 1 ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
    return .init(
      "n-n", "\(many) whole numbers from 1 to \(1 << 20) joined by hyphens",
      write: { $0.map(String.init).joined(separator: "-") }
    ) { text in
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      let numbers = parts.compactMap { part in SettingForm<Int>.count.value(String(part)) }
      return numbers.count == parts.count && counts.contains(numbers.count) ? numbers : nil
    }
  }
}

extension SettingForm<Double> {
  /// A number.
  public static func number(_ range: ClosedRange<Double>) -> Self {
    .init("x", "a number from \(range.short)", write: \.short) {
      Double($0).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension SettingForm<[Double]> {
  /// Numbers.
  package static func numbers(_ range: ClosedRange<Double>) -> Self {
    .init(
      list: "x", "numbers from \(range.short)", write: { $0.map(\.short).joined(separator: " ") }
    ) { texts in
      let numbers = texts.compactMap(Double.init)
      return numbers.count == texts.count && numbers.allSatisfy(range.contains) ? numbers : nil
    }
  }
}

extension Double {
  /// Whole numbers without a point.
  fileprivate var short: String { Int(exactly: self).map(String.init) ?? "\(self)" }
}

extension ClosedRange<Double> {
  fileprivate var short: String { "\(lowerBound.short) to \(upperBound.short)" }
}

extension SettingForm<Bool> {
  /// `on` or `off`.
  package static var onOff: Self { truth("on|off", "on or off") }
  /// A flag, turned on by its name.
  package static var flag: Self { truth("", "true or false") }

  private static func truth(_ placeholder: String, _ words: String) -> Self {
    .init(placeholder, words, write: { $0 ? "on" : "off" }) { text in
      switch text.lowercased() {
      case "on", "true", "yes": true
      case "off", "false", "no": false
      default: nil
      }
    }
  }

  /// A switch: one word turns it on, another off.
  public static func either(on: String = "on", off: String = "off") -> Self {
    .init("word", "\(on) or \(off)", choices: [on, off], write: { $0 ? on : off }) {
      $0 == on ? true : $0 == off ? false : nil
    }
  }
}

extension SettingForm where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
  /// One of the words of an enumeration.
  public static var word: Self {
    let words = Value.allCases.map(\.rawValue)
    return .init("word", words.alternatives, choices: words, write: \.rawValue) { Value(rawValue: $0) }
  }
}

extension [String] {
  /// `a`, `a or b`, `a, b or c`.
  package var alternatives: String {
    count < 2 ? joined() : dropLast().joined(separator: ", ") + " or " + self[count - 1]
  }
}
