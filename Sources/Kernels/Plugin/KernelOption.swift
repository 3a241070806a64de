import Tensors

/// An option after a kernel's name, as in `dilated:dilation=4`: its name, values, default and help, declared once. A
/// kernel reads the option's value from its ``KernelOptions`` by this declaration:
///
///     static let reduction = KernelOption("reduction", .count, initial: 16, help: "channels for one of the narrow layer")
///     let options: [any AnyKernelOption] = [reduction]
///     …
///     let narrow = channels / site.options[Self.reduction]
public struct KernelOption<Value: Sendable>: AnyKernelOption {
  public let name: String
  public let help: String
  public let flag: String?
  public let isItem: Bool
  /// How its values are written.
  let form: SettingForm<Value>
  /// The value if the option is left out.
  public let initial: Value

  /// An option.
  ///
  /// - Parameters:
  ///   - name: the text before the `=`.
  ///   - form: its possible values.
  ///   - initial: the value if the option is left out.
  ///   - flag: the option of the command line, without dashes, that sets it in every kernel that has it.
  ///   - help: one line that says what it does.
  public init(
    _ name: String, _ form: SettingForm<Value>, initial: Value, flag: String? = nil, help: String
  ) {
    self.init(name, form, initial: initial, flag: flag, isItem: false, help: help)
  }

  private init(
    _ name: String, _ form: SettingForm<Value>, initial: Value, flag: String?, isItem: Bool, help: String
  ) {
    self.name = name
    self.form = form
    self.initial = initial
    self.flag = flag
    self.isItem = isItem
    self.help = help
  }

  public var words: String { form.words }
  public var initialText: String { form.text(initial) }
  public func canonical(_ text: String) -> String? { form.value(text).map(form.text) }
}

extension KernelOption<String> {
  /// An option whose value is another item of `--conv`, with its own options; it must be the last.
  public static func item(_ name: String, initial: String, help: String) -> Self {
    let form = SettingForm<String>("item", "an item of --conv, after all other options", write: { $0 }) { $0 }
    return .init(name, form, initial: initial, flag: nil, isItem: true, help: help)
  }
}

/// An option of any type, as lists and the command line see it; always a ``KernelOption``.
public protocol AnyKernelOption: Sendable {
  /// The text before the `=`.
  var name: String { get }
  /// One line: what it does.
  var help: String { get }
  /// What values it takes, in words.
  var words: String { get }
  /// The value if the option is left out, as it is written.
  var initialText: String { get }
  /// The option of the command line, without dashes, that sets it in every kernel that has it; nil if there is none.
  var flag: String? { get }
  /// Whether its value is another item of `--conv`.
  var isItem: Bool { get }

  /// The canonical text of a value: `2x2` and `02` are 2; nil if `text` is not one of its values.
  func canonical(_ text: String) -> String?
}
