import Layers
import Tensors
import Testing

@testable import Kernels

/// Options of kernels: declared once, read by their declarations.
@Suite struct KernelOptionTests {
  /// A default is one of the values, written as all values are; what is none is refused.
  @Test(arguments: builtInKernels.map(\.name)) func defaultsAreValues(_ name: String) throws {
    let registry = KernelRegistry.builtIn, kernel = try registry.choice(name).kernel
    #expect(Set(kernel.options.map(\.name)).count == kernel.options.count)
    for option in kernel.options {
      #expect(option.canonical(option.initialText) == option.initialText, "\(option.name)")
      #expect(!option.help.isEmpty && !option.words.isEmpty)
      let item = "\(name):\(option.name)=\(option.initialText)"
      #expect(try registry.choice(item).canonicalItem == registry.choice(name).canonicalItem, "\(item)")
      #expect(throws: WorkbenchError.self) { try registry.choice("\(name):\(option.name)=none of these") }
    }
    #expect(kernel.options.contains(where: \.isItem) == (kernel is any WrappingKernel))
  }

  @Test func valuesHaveTypes() throws {
    let options = try KernelOptions(
      [
        ("rates", "02-7"), ("dilation", "3"), ("window", "5x7"), ("pooling", "off"), ("pace", "0.25"),
        ("combine", "adder"),
      ],
      among: [
        Self.rates, KernelOptions.dilation, KernelOptions.window, Self.pooling, Self.pace,
        KernelOptions.combine,
      ],
      of: "mine")
    #expect(options[Self.rates] == [2, 7] && options[Self.pooling] == false && options[Self.pace] == 0.25)
    #expect(options[KernelOptions.dilation] == Pair(3) && options[KernelOptions.window] == Pair(5, 7))
    #expect(options[KernelOptions.combine].name == "adder")
    #expect(options.isGiven(Self.rates) && !options.isGiven(Self.count))
    // Without a kernel each option has its default.
    #expect(KernelOptions()[Self.rates] == [1])
    let spread = try KernelOptions([], among: [KernelOptions.dilation(initial: 2)], of: "mine")
    #expect(spread[KernelOptions.dilation] == Pair(2))
  }

  /// A list of options that is misspelt, or of another type, is not the kernel's list: reading an option says so.
  @Test func unlistedOptionsStopTheProgram() async {
    await #expect(processExitsWith: .failure) {
      _ = try KernelOptions([], of: Misspelt())[Misspelt.count]
    }
  }

  private struct Misspelt: Kernel {
    let name = "misspelt", summary = "", formula = "", paper = ""
    let option: [any AnyKernelOption] = [count]
    static let count = KernelOption("count", .count, initial: 4, help: "")

    func makeLayer(_ site: KernelSite) throws -> any KernelLayer { try ConvolutionLayer(site) }
  }

  private static let rates = KernelOption("rates", .list(1...3), initial: [1], help: "")
  private static let pooling = KernelOption("pooling", .either(), initial: true, help: "")
  private static let pace = KernelOption("pace", .number(0...1), initial: 1, help: "")
  private static let count = KernelOption("count", .count, initial: 4, help: "")

  @Test(arguments: [
    ("rates", "1-2-3-4", "1 to 3 whole numbers from 1 to 1048576 joined by hyphens"),
    ("rates", "1-", "1 to 3 whole numbers"), ("rates", "0", "1 to 3 whole numbers"),
    ("pooling", "yes", "on or off"), ("pace", "1.5", "a number from 0 to 1"), ("pace", "nan", "a number"),
    ("count", "0", "a whole number from 1 to 1048576"), ("count", "1048577", "a whole number"),
  ]) func wrongValuesAreRefused(_ name: String, _ value: String, _ words: String) {
    let error = #expect(throws: WorkbenchError.self) {
      try KernelOptions(
        [(name, value)], among: [Self.rates, Self.pooling, Self.pace, Self.count], of: "mine")
    }
    #expect(
      error?.description.hasPrefix("The option \(name) of mine cannot be ‘\(value)’; it takes \(words)")
        == true)
  }

  /// A kernel around another, whose option for it has its own name.
  private struct Twice: WrappingKernel {
    let name = "twice", summary = "", formula = "", paper = ""
    let options: [any AnyKernelOption] = [
      KernelOption.item("inside", initial: "standard", help: "the kernel inside")
    ]
    var inner = KernelChoice.standard

    func attention(_ site: KernelSite) throws -> [NamedLayer] { [] }
  }

  @Test func theItemOptionNamesTheKernelInside() throws {
    let registry = KernelRegistry(builtInKernels + [Twice()])
    let choice = try registry.choice("twice:inside=cbam:around=adder:dilation=02")
    #expect(choice.innermost.kernel.name == "adder")
    #expect(choice.canonicalItem == "twice:inside=cbam:around=adder:dilation=2")
    #expect(throws: WorkbenchError.self) { try registry.choice("twice:around=adder") }
  }
}
