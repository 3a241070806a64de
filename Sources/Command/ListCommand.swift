import ArgumentParser
import Kernels
import Learning
import Networks

/// `experiment list`: every kernel with its formula, paper, options and algorithms; every model with its source; the data.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the kernels, the models and the data.",
    discussion: "Example: swift run experiment list")

  func run() throws {
    let kernels = ExperimentCommand.registry.kernels
    for family in KernelFamily.allCases {
      let members = kernels.filter { $0.family == family }
      if !members.isEmpty { print("\(family.rawValue)\n") }
      members.forEach(Self.show)
    }
    print(
      "Kernels joined by + are one network with a kernel for each stage: shift+standard+dilated:dilation=4\n")
    print("Models\n")
    for family in Models.families {
      print("\(family.name): \(family.models.map(\.name).joined(separator: ", "))\n  \(family.source)")
    }
    print("\nInitial weights (--init)\n")
    for scheme in InitializationScheme.all {
      print("\(scheme.name): \(scheme.summary)")
      scheme.options.forEach(Self.show)
    }
    print("\nData\n")
    for source in DataSource.all {
      print("\(source.form): \(source.summary)")
      if let facts = source.facts { print("  a test of \(facts.about)\n  paper: \(facts.paper)") }
      source.options.forEach(Self.show)
    }
  }

  private static func show(_ option: any AnyKernelOption) {
    print("  :\(option.name)=\(option.initialText)  \(option.help) (\(option.words))")
  }

  private static func show(_ kernel: any Kernel) {
    print("\(kernel.name): \(kernel.summary)")
    print("  \(kernel.formula)")
    print("  paper: \(kernel.paper)")
    kernel.options.forEach(show)
    if let options = try? KernelOptions([], of: kernel) {
      for remark in kernel.remarks(options) { print("  \(remark)") }
    }
    print("  algorithms: \(kernel.algorithms.joined(separator: ", "))\n")
  }
}
