import Tensors

/// An option that a kernel takes behind its name.
public struct KernelOption: Hashable, Sendable {
  /// What values an option can have.
  public enum Kind: Hashable, Sendable {
    /// A whole number of at least 1.
    case count
    /// A number of a range.
    case number(ClosedRange<Double>)
    /// `N` or `HxW`, each at least 1.
    case size
    /// The same, each odd.
    case oddSize
    /// Whole numbers of at least 1 joined by hyphens, so many of them.
    case list(ClosedRange<Int>)
    /// Another item of `--conv`; it must be the last option.
    case item
    /// One of these words.
    case choice([String])
  }

  /// The name before the `=`.
  public let name: String
  /// What values it can have.
  public let kind: Kind
  /// The value if the option is left out.
  public let initial: String
  /// One line: what it does.
  public let help: String

  /// An option.
  public init(_ name: String, _ kind: Kind, initial: String, help: String) {
    self.name = name
    self.kind = kind
    self.initial = initial
    self.help = help
  }

  /// The distance of taps, which every k×k kernel can vary.
  public static func dilation(initial: Int = 1) -> KernelOption {
    KernelOption("dilation", .size, initial: String(initial), help: "distance of neighbouring taps, N or HxW")
  }

  /// The extent of the window, which kernels with a plain grid can vary.
  public static let window = KernelOption(
    "window", .oddSize, initial: "3",
    help: "if given, the window's extent in place of the place's, N or HxW; padding keeps the image's size")

  /// How x and w meet.
  public static let combine = KernelOption(
    "combine", .choice(Combinations.all.map(\.name)), initial: Product().name,
    help: Combinations.all.map { "\($0.name): \($0.formula)" }.joined(separator: "; "))

  func check(_ value: String, of kernel: String) throws {
    let valid =
      switch kind {
      case .count: KernelOptions.list(value).map { $0.count == 1 && $0[0] >= 1 } ?? false
      case .number(let range): Double(value).map { range.contains($0) } ?? false
      case .size: Pair(text: value).map { $0.height >= 1 && $0.width >= 1 } ?? false
      case .oddSize: Pair(text: value).map { $0.height % 2 == 1 && $0.width % 2 == 1 } ?? false
      case .list(let counts):
        KernelOptions.list(value).map { counts.contains($0.count) && $0.allSatisfy { $0 >= 1 } } ?? false
      case .item: true
      case .choice(let words): words.contains(value)
      }
    guard valid else {
      throw WorkbenchError("The option \(name) of \(kernel) cannot be ‘\(value)’; it takes \(kindText).")
    }
  }

  /// What values it takes, in words.
  public var kindText: String {
    switch kind {
    case .count: "a whole number from 1 to 1048576"
    case .number(let range):
      "a number from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))"
    case .size: "N or HxW, from 1 to 1048576"
    case .oddSize: "N or HxW, odd, from 1 to 1048575"
    case .list(let counts):
      counts.lowerBound == counts.upperBound
        ? "\(counts.lowerBound) whole numbers from 1 to 1048576 joined by hyphens"
        : "\(counts.lowerBound) to \(counts.upperBound) whole numbers from 1 to 1048576 joined by hyphens"
    case .item: "an item of --conv; behind all other options"
    case .choice(let words): words.joined(separator: " or ")
    }
  }
}

extension KernelOption {
  /// Whole numbers without a decimal point.
  private static func text(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}

extension Pair {
  /// A size as the command line takes it, `N` or `HxW`, at most 1048576 each; nil for anything else.
  public init?(text: String) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil
    }
    guard numbers.count == parts.count, (1...2).contains(parts.count), numbers.allSatisfy({ $0 <= 1 << 20 })
    else {
      return nil
    }
    self.init(numbers[0], numbers[numbers.count - 1])
  }
}

/// Values of a kernel's options, checked, with the kernel's defaults for those left out.
public struct KernelOptions: Hashable, Sendable {
  private var values: [String: String]

  /// The names that were given, not left to their defaults.
  public private(set) var given: Set<String> = []

  /// No options at all.
  public init() { values = [:] }

  /// The options `given`, checked against those that the kernel takes.
  public init(_ given: [(name: String, value: String)], of kernel: any Kernel) throws {
    try self.init(given, among: kernel.options, of: kernel.name)
  }

  /// The options `given`, checked against those that `owner`, a kernel or a data set, takes.
  public init(
    _ given: [(name: String, value: String)], among options: [KernelOption], of owner: String
  ) throws {
    values = Dictionary(uniqueKeysWithValues: options.map { ($0.name, $0.initial) })
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
      try option.check(value, of: owner)
      values[name] = value
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

  /// The text of an option, or nil if the kernel does not have it.
  public func value(_ name: String) -> String? { values[name] }

  /// The combination that `combine` names, the product if the kernel does not have the option.
  public var combination: any Combination { value("combine").flatMap(Combinations.named) ?? Product() }

  /// A size option; 1 if the kernel does not have it.
  public func pair(_ name: String) -> Pair { values[name].flatMap(Pair.init(text:)) ?? Pair(1) }

  /// A number option; 0 if the kernel does not have it.
  public func number(_ name: String) -> Double { values[name].flatMap(Double.init) ?? 0 }

  /// A list option; empty if the kernel does not have it.
  public func list(_ name: String) -> [Int] { values[name].flatMap(KernelOptions.list) ?? [] }

  /// Numbers joined by hyphens; nil for anything else.
  static func list(_ text: String) -> [Int]? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in
      part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil
    }
    return numbers.count == parts.count && numbers.allSatisfy { $0 <= 1 << 20 } ? numbers : nil
  }

  /// A count option; 1 if the kernel does not have it.
  public func count(_ name: String) -> Int { values[name].flatMap { Int($0) } ?? 1 }
}
