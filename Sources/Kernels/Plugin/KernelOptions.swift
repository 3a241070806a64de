import Tensors

/// Values of a kernel's options, checked, with the kernel's defaults for those left out.
public struct KernelOptions: Hashable, Sendable {
  /// The values as they were written, by option name.
  private var texts: [String: String] = [:]
  private var given: Set<String> = []
  /// The kernel, or the data set, that they were checked for.
  private var owner: String?

  /// No options: each has its default.
  public init() {}

  /// The options `given`, checked against those that the kernel takes.
  public init(_ given: [(name: String, value: String)], of kernel: any Kernel) throws {
    try self.init(given, among: kernel.options, of: kernel.name)
  }

  /// The options `given`, checked against those that `owner`, a kernel or a data set, takes.
  public init(
    _ given: [(name: String, value: String)], among options: [any AnyKernelOption], of owner: String
  ) throws {
    self.owner = owner
    texts = Dictionary(uniqueKeysWithValues: options.map { ($0.name, $0.initialText) })
    for (name, value) in given {
      guard let option = options.first(where: { $0.name == name }) else {
        throw WorkbenchError(
          options.isEmpty
            ? "\(owner) takes no option ‘\(name)’; it has none."
            : "\(owner) takes no option ‘\(name)’; \(suggestion(for: name, among: options.map(\.name)))")
      }
      guard self.given.insert(name).inserted else {
        throw WorkbenchError("The option \(name) of \(owner) is given twice.")
      }
      guard option.canonical(value) != nil else {
        throw WorkbenchError("The option \(name) of \(owner) cannot be ‘\(value)’; it takes \(option.words).")
      }
      texts[name] = value
    }
  }

  /// The names and values in the parts of an item that follow its name, such as `dilation=2`.
  public static func pairs(
    _ parts: some Sequence<String>, of item: String
  ) throws -> [(name: String, value: String)] {
    try parts.map { part in
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard sides.count == 2 else {
        throw WorkbenchError("‘\(part)’ in ‘\(item)’ is not an option; write it as name=value.")
      }
      return (sides[0], sides[1])
    }
  }

  /// The value of an option that the kernel lists; with `KernelOptions()`, its default.
  public subscript<Value>(option: KernelOption<Value>) -> Value {
    if let owner, texts[option.name] == nil {
      preconditionFailure("\(owner) reads the option \(option.name), which is not in its list of options")
    }
    return texts[option.name].flatMap(option.form.value) ?? option.initial
  }

  /// An option as it was written; its default if it was left out.
  public func text(of option: any AnyKernelOption) -> String { texts[option.name] ?? option.initialText }

  /// Whether an option was given, not left to its default.
  public func isGiven(_ option: any AnyKernelOption) -> Bool { given.contains(option.name) }
}

// Options that several kernels have.
extension KernelOptions {
  /// The dilation of the taps, which every k×k kernel can vary.
  public static func dilation(initial: Int) -> KernelOption<Pair> {
    KernelOption(
      "dilation", .size(1...1 << 20), initial: Pair(initial), flag: "dilation",
      help: "the distance between neighbouring taps")
  }

  /// The dilation of the taps, by default 1.
  public static let dilation = dilation(initial: 1)

  /// The dilation of the taps; 1 for a kernel that does not have the option.
  var dilation: Pair { texts[Self.dilation.name] == nil ? Pair(1) : self[Self.dilation] }

  /// The offset groups of deformable kernels.
  package static let offsetGroups = KernelOption(
    "groups", .count, initial: 1, flag: "offset-groups",
    help: "groups of input channels with their own offsets")

  /// The window size, which kernels with a regular grid can vary.
  public static let window = KernelOption(
    "window", .oddSize(1...(1 << 20) - 1), initial: Pair(3),
    help: "the window size, if it is not that of the replaced convolution; padding keeps the image's size")

  /// The most channels in a group.
  public static let shared = KernelOption(
    "shared", .count, initial: 16,
    help: "the most channels in a group; the largest divisor of the channels up to it is used")

  /// The combination of x and w.
  public static let combine = KernelOption<any Combination>(
    "combine", .combination, initial: Product(),
    help: Combinations.all.map { "\($0.name): \($0.formula)" }.joined(separator: "; "))

  /// The kernel inside another. The registry reads it, because its value is an item.
  public static let around = KernelOption.item(
    "around", initial: "standard", help: "the kernel inside, followed by its own options")
}

extension SettingForm<any Combination> {
  /// The name of a combination.
  fileprivate static var combination: Self {
    let names = Combinations.all.map(\.name)
    return .init("word", names.alternatives, choices: names, write: \.name) { Combinations.named($0) }
  }
}
