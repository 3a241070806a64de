/// Something that has settings, each with a default.
package protocol Settable: Sendable {
  init()
}

/// How the values of a setting are written.
package struct SettingForm<Value>: Sendable {
  /// What stands for a value in help, such as `n`.
  let placeholder: String
  /// What a value must be, in words.
  let words: String
  /// The words to choose from, if there are only some.
  var choices: [String] = []
  /// The value of a text, or of the texts of a list; nil if they are none.
  let read: @Sendable ([String]) throws -> Value?

  /// A form of values that are written as one text.
  package init(
    _ placeholder: String, _ words: String, choices: [String] = [],
    _ read: @escaping @Sendable (String) throws -> Value?
  ) {
    self.init(list: placeholder, words, choices: choices) { $0.count == 1 ? try read($0[0]) : nil }
  }

  /// A form of values that are written as a list.
  package init(
    list placeholder: String, _ words: String, choices: [String] = [],
    _ read: @escaping @Sendable ([String]) throws -> Value?
  ) {
    self.placeholder = placeholder
    self.words = words
    self.choices = choices
    self.read = read
  }
}

extension SettingForm<Int> {
  /// A whole number.
  package static func whole(_ range: ClosedRange<Int>) -> Self {
    .init("n", "a whole number from \(range.lowerBound) to \(range.upperBound)") {
      Int($0).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension SettingForm<Double> {
  /// A number.
  package static func number(_ range: ClosedRange<Double>) -> Self {
    .init("x", "a number from \(range.short)") { Double($0).flatMap { range.contains($0) ? $0 : nil } }
  }
}

extension SettingForm<[Double]> {
  /// Numbers.
  package static func numbers(_ range: ClosedRange<Double>) -> Self {
    .init(list: "x", "numbers from \(range.short)") { texts in
      let numbers = texts.compactMap(Double.init)
      return numbers.count == texts.count && numbers.allSatisfy(range.contains) ? numbers : nil
    }
  }
}

extension ClosedRange<Double> {
  /// Its bounds, whole ones without a point.
  fileprivate var short: String {
    let texts = [lowerBound, upperBound].map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" }
    return texts.joined(separator: " to ")
  }
}

extension SettingForm<Bool> {
  /// `on` or `off`.
  package static var onOff: Self { truth("on or off") }
  /// What its name alone turns on.
  package static var flag: Self { truth("true or false") }

  private static func truth(_ words: String) -> Self {
    .init(words.split(separator: " ")[0] == "on" ? "on|off" : "", words) { text in
      switch text.lowercased() {
      case "on", "true", "yes": true
      case "off", "false", "no": false
      default: nil
      }
    }
  }
}

extension SettingForm where Value: RawRepresentable<String> & CaseIterable & SendableMetatype {
  /// One of the words of an enumeration.
  package static var word: Self {
    let words = Value.allCases.map(\.rawValue)
    return .init("word", "one of \(words.joined(separator: ", "))", choices: words) { Value(rawValue: $0) }
  }
}

/// A setting, declared once: its name, its values, its default and what it does. The command line and files read it.
package struct Setting<Target: Settable>: Sendable {
  /// The name, such as `weight-decay`.
  package let name: String
  /// What it does, and its default.
  package let help: String
  /// What stands for a value in help; empty if its name alone turns it on.
  package let placeholder: String
  /// The words to choose from, if there are only some.
  package let choices: [String]
  private let words: String
  private let change: @Sendable (inout Target, [String]) throws -> Bool

  /// A setting with a default.
  package init<Value>(
    _ name: String, _ path: WritableKeyPath<Target, Value> & Sendable, _ form: SettingForm<Value>,
    _ help: String
  ) {
    let text = Self.text(Target()[keyPath: path])
    let initial = form.placeholder.isEmpty && text == "off" ? "" : " (default: \(text))"
    self.init(name, form, help + initial + ".") { $0[keyPath: path] = $1 }
  }

  /// A setting that may be left open; its help says what that means.
  package init<Value>(
    _ name: String, _ path: WritableKeyPath<Target, Value?> & Sendable, _ form: SettingForm<Value>,
    _ help: String
  ) {
    self.init(name, form, help + ".") { $0[keyPath: path] = $1 }
  }

  private init<Value>(
    _ name: String, _ form: SettingForm<Value>, _ help: String,
    _ set: @escaping @Sendable (inout Target, Value) -> Void
  ) {
    self.name = name
    self.help = help
    placeholder = form.placeholder
    choices = form.choices
    words = form.words
    change = { [read = form.read] target, texts in
      guard let value = try read(texts) else { return false }
      set(&target, value)
      return true
    }
  }

  /// Sets it to what the texts say; errors call it `label`.
  package func set(_ target: inout Target, _ texts: [String], label: String) throws {
    guard try change(&target, texts) else {
      throw WorkbenchError("\(label) is ‘\(texts.joined(separator: " "))’; it must be \(words).")
    }
  }

  private static func text(_ value: some Any) -> String {
    switch value {
    case let truth as Bool: truth ? "on" : "off"
    case let word as any RawRepresentable: "\(word.rawValue)"
    default: "\(value)"
    }
  }
}
