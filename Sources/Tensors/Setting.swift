/// Something that has settings, each with a default.
package protocol Settable: Sendable {
  init()
}

/// A setting, declared once: its name, values, default and help. The command line and files use it.
package struct Setting<Target: Settable>: Sendable {
  /// The name, such as `weight-decay`.
  package let name: String
  /// What it does, and its default.
  package let help: String
  /// The placeholder of a value in help; empty if its name alone turns it on.
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
    let text = form.text(Target()[keyPath: path])
    let initial = form.placeholder.isEmpty && text == "off" ? "" : " (default: \(text))"
    self.init(name, form, help + initial + ".") { $0[keyPath: path] = $1 }
  }

  /// A setting that may be nil; its help says what that means.
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

  /// Sets it to the value of the texts; errors call it `label`.
  package func set(_ target: inout Target, _ texts: [String], label: String) throws {
    guard try change(&target, texts) else {
      throw WorkbenchError("\(label) is ‘\(texts.joined(separator: " "))’; it must be \(words).")
    }
  }
}
