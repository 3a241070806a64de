import Foundation
import Tensors
import Yams

/// A value of a YAML file that knows its line, so that an error can say where it is.
struct YAMLValue {
  /// The file's name, for error sentences.
  let file: String
  /// Its line, counted from 1.
  let line: Int
  private let node: Node

  private init(_ node: Node, file: String, line: Int) {
    self.node = node
    self.file = file
    self.line = node.mark?.line ?? line
  }

  /// The value of a whole file of at most a megabyte.
  static func read(_ path: String) throws -> YAMLValue {
    let file = try RegularFile(path, limit: 1 << 20)
    guard let text = String(validating: try file.read(file.size), as: UTF8.self) else {
      throw WorkbenchError("\(path) is not text; give a YAML file.")
    }
    return try parse(text, file: path)
  }

  /// The value of a text.
  static func parse(_ text: String, file: String) throws -> YAMLValue {
    if let (line, what) = YAMLText.refusal(text) {
      throw WorkbenchError("\(file):\(line): this part of YAML is not supported: \(what).")
    }
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw WorkbenchError("\(file) is empty; see experiments/quick.yaml for an example.")
      }
      return YAMLValue(node, file: file, line: 1)
    } catch let error as YamlError {
      let (line, problem) = describe(error)
      throw WorkbenchError("\(file):\(line): \(problem)")
    }
  }

  /// The error `message` in this value's line.
  func error(_ message: String) -> WorkbenchError { WorkbenchError("\(file):\(line): \(message)") }

  /// Calls `body`; what it throws gets this value's line.
  func located<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let failure as WorkbenchError { throw error(failure.description) }
  }

  /// The entries of a mapping, whose keys must all be known.
  func entries(known: [String], of what: String) throws -> [(key: String, value: YAMLValue)] {
    guard let mapping = node.mapping else {
      throw error("\(what) must be a mapping, with lines such as ‘\(known.first ?? "key"): …’.")
    }
    return try mapping.map { key, value in
      let key = YAMLValue(key, file: file, line: line)
      let name = try key.text("a key")
      guard known.contains(name) else {
        throw key.error("unknown key ‘\(name)’; known here: \(known.joined(separator: ", ")).")
      }
      return (name, YAMLValue(value, file: file, line: key.line))
    }
  }

  /// The settings that a mapping gives, with the defaults of the rest.
  func read<Target>(_ settings: [Setting<Target>], of what: String) throws -> Target {
    var target = Target()
    for (key, value) in try entries(known: settings.map(\.name), of: what) {
      for setting in settings where setting.name == key { try value.set(setting, of: &target) }
    }
    return target
  }

  /// Sets something to this value, or list of values; returns their texts.
  @discardableResult
  func set<Target>(_ setting: Setting<Target>, of target: inout Target) throws -> [String] {
    let texts = try elements.map { try $0.text(setting.name) }
    try located { try setting.set(&target, texts, label: setting.name) }
    return texts
  }

  /// The value of a key, if it is a mapping that has it.
  func entry(_ key: String) -> YAMLValue? { node.mapping?[key].map { YAMLValue($0, file: file, line: line) } }

  /// Whether it is a mapping.
  var isMapping: Bool { node.mapping != nil }

  /// Whether it is a list.
  var isList: Bool { node.sequence != nil }

  /// The elements of a list; anything else is a list of one.
  var elements: [YAMLValue] {
    node.sequence.map { $0.map { YAMLValue($0, file: file, line: line) } } ?? [self]
  }

  /// The text of a value that is neither a list nor a mapping, as it is written.
  func text(_ what: String) throws -> String {
    guard let scalar = node.scalar else { throw error("\(what) must be a single value.") }
    guard !scalar.string.isEmpty else { throw error("\(what) is empty.") }
    return scalar.string
  }

  /// A whole number of a range.
  func integer(_ what: String, _ range: ClosedRange<Int>) throws -> Int {
    let text = try text(what)
    guard let value = Int(text), range.contains(value) else {
      throw error(
        "\(what) is ‘\(text)’; it must be a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return value
  }

  /// A number of a range.
  func number(_ what: String, _ range: ClosedRange<Double>) throws -> Double {
    let text = try text(what)
    guard let value = Double(text), range.contains(value) else {
      throw error(
        "\(what) is ‘\(text)’; it must be a number from \(range.lowerBound) to \(range.upperBound).")
    }
    return value
  }

  /// `true` or `false`, or YAML's other words for them.
  func truth(_ what: String) throws -> Bool {
    let text = try text(what)
    switch text.lowercased() {
    case "true", "yes", "on": return true
    case "false", "no", "off": return false
    default: throw error("\(what) is ‘\(text)’; it must be true or false.")
    }
  }

  /// One of the words of an enumeration.
  func word<Word: RawRepresentable & CaseIterable>(_ what: String, _: Word.Type) throws -> Word
  where Word.RawValue == String {
    let text = try text(what)
    guard let word = Word(rawValue: text) else {
      throw error(
        "\(what) is ‘\(text)’; it must be one of \(Word.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    return word
  }

  /// The line of an error of the YAML reader, and one sentence.
  private static func describe(_ error: YamlError) -> (Int, String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return (max(mark.line, 1), "invalid YAML: \(problem).")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.sorted().map { "‘\($0)’" }.joined(separator: ", ")
      return (max(context.mark.line, 1), "a key occurs twice in the mapping that begins here: \(keys).")
    case .reader(let problem, let offset, _, let text):
      let line = offset.map { text.prefix($0).count { $0.isNewline } + 1 } ?? 1
      return (line, "invalid YAML: \(problem).")
    default: return (1, "invalid YAML.")
    }
  }
}
