import ArgumentParser
import Conformance
import Foundation
import Kernels
import Tensors

/// `experiment check`: kernels against their definitions.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract:
      "Compare every algorithm of a kernel with the definition, on awkward shapes, forward and backward.",
    discussion: """
      Example: swift run experiment check --conv dilated

      In a package with kernels of its own, those are checked where --conv is left out. Where a layer reads what is not its own, the program stops; a terminal then shows in which case.
      """)

  @Option(help: .kernels)
  var conv: String?

  func run() throws {
    let registry = ExperimentCommand.registry, builtIn = Set(KernelRegistry.builtIn.kernels.map(\.name))
    let own = registry.kernels.map(\.name).filter { !builtIn.contains($0) }
    guard let items = conv ?? (own.isEmpty ? nil : own.joined(separator: ",")) else {
      throw ValidationError("There are no kernels but the built-in ones; name some with --conv, or all.")
    }
    let isTerminal = isatty(STDERR_FILENO) == 1
    @Sendable func show(_ label: String) {
      if isTerminal { FileHandle.standardError.write(Data("\r\u{1b}[K\(label.onOneLine)".utf8)) }
    }
    var wrong: [String] = []
    for choice in try registry.choices(items) {
      var conformance = Conformance(announce: show)
      conformance.check(choice, cases: try ConformanceCase.standardCases())
      show("")
      conformance.failures.forEach { print($0) }
      for (reason, count) in conformance.refusalsByReason.sorted(by: <) {
        print("\(count) refused: \(reason)")
      }
      print("\(choice.item): \(conformance.checked) checked, \(conformance.failures.count) failures")
      // A kernel that refuses everything has not been checked.
      if !conformance.failures.isEmpty || conformance.checked == 0 { wrong.append(choice.item) }
    }
    guard wrong.isEmpty else {
      throw WorkbenchError(
        "\(wrong.joined(separator: ", ")): not what the definition says, or never checked.")
    }
  }
}
