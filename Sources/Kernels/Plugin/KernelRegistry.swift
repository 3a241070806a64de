import Layers
import Tensors

/// The kernels that a command knows.
public struct KernelRegistry: Sendable {
  /// The kernels, in the order of tables.
  public let kernels: [any Kernel]

  /// A registry of the given kernels; a later one replaces an earlier one of the same name.
  public init(_ kernels: [any Kernel]) {
    var kept: [any Kernel] = []
    for kernel in kernels {
      kept.removeAll { $0.name == kernel.name }
      kept.append(kernel)
    }
    self.kernels = kept
  }

  /// The kernels of this package.
  public static let builtIn = KernelRegistry(builtInKernels)

  /// The kernel and the options that an item of `--conv` names, such as `adder:dilation=2`, or the kernels that it joins
  /// by `+`.
  public func choice(_ item: String) throws -> KernelChoice {
    let joined = item.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    if joined.count > 1 {
      return KernelChoice(item: item, joined: try joined.map(choice))
    }
    let parts = item.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard let kernel = kernels.first(where: { $0.name == parts[0] }) else {
      throw WorkbenchError(
        "There is no kernel ‘\(parts[0])’; \(suggestion(for: parts[0], among: kernels.map(\.name), shownBy: "experiment list"))"
      )
    }
    if let wrapper = kernel as? any WrappingKernel,
      let prefix = kernel.options.first(where: \.isItem).map({ "\($0.name)=" }),
      let index = parts.firstIndex(where: { $0.hasPrefix(prefix) })
    {
      guard parts.count(where: { $0.hasPrefix(prefix) }) <= 8 else {
        throw WorkbenchError("At most 8 kernels may be nested; leave out some ‘\(prefix)’.")
      }
      // The rest, with its options, is another item.
      let inner = [String(parts[index].dropFirst(prefix.count))] + parts[(index + 1)...]
      let own = try KernelRegistry([wrapper.around(choice(inner.joined(separator: ":")))])
      let outer = try own.choice(parts[..<index].joined(separator: ":"))
      return KernelChoice(item: item, kernel: outer.kernel, options: outer.options)
    }
    let given = try KernelOptions.pairs(parts.dropFirst(), of: item)
    return KernelChoice(item: item, kernel: kernel, options: try KernelOptions(given, of: kernel))
  }

  /// `standard`, for comparison, and then the choices of a list.
  public func choicesBesideStandard(_ list: String) throws -> [KernelChoice] {
    let standard = try choice("standard")
    return [standard] + (try choices(list)).filter { $0.item != standard.item }
  }

  /// The choices of a list such as `standard,adder:dilation=2`, or of `all`, each once.
  public func choices(_ list: String) throws -> [KernelChoice] {
    let items =
      list == "all"
      ? kernels.map(\.name) : list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard items.count == 1 || !items.contains("") else {
      throw WorkbenchError("A kernel is missing next to a comma in ‘\(list)’; leave the comma out.")
    }
    return try items.uniqued().map(choice)
  }
}
