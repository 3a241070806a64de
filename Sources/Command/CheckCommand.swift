import ArgumentParser
import Conformance
import Experiments
import Kernels
import Tensors

/// `experiment check`: kernels against their definitions.
struct CheckCommand: ShowsProgress {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract:
      "Compare every algorithm of a kernel with the definition, on awkward shapes, forward and backward.",
    discussion: """
      Example: swift run experiment check --conv dilated

      The default is all kernels of your own package. Ctrl-C stops after the kernel that is being checked, and again at once. If a layer reads memory that is not its own, the program stops; a terminal then shows the case, and so does the last line with --progress plain.
      """)

  @Option(help: .kernels(after: nil))
  var conv: String?

  @OptionGroup
  var progress: ProgressOption

  func run() throws {
    let registry = ExperimentCommand.registry, builtIn = Set(KernelRegistry.builtIn.kernels.map(\.name))
    let own = registry.kernels.map(\.name).filter { !builtIn.contains($0) }
    guard let items = conv ?? (own.isEmpty ? nil : own.joined(separator: ",")) else {
      throw ValidationError("There are only the built-in kernels; name some with --conv, or all.")
    }
    let choices = try registry.choices(items), line = ProgressLine("kernels", total: choices.count)
    for choice in choices {
      if let refusal = choice.operatorRefusal { throw WorkbenchError(refusal) }
    }
    defer { line.finish() }
    var wrong: [String] = []
    Cancellation.listen()
    for choice in choices {
      do { try Cancellation.check() } catch {
        throw Cancellation.Requested(
          "Stopped: the kernels above are finished; start with --conv \(choice.item) to check the rest.")
      }
      var conformance = Conformance { line.show($0, always: true) }
      conformance.check(choice, cases: try ConformanceCase.standardCases())
      line.finish()
      conformance.failures.forEach { print($0) }
      for (reason, count) in conformance.refusalsByReason.sorted(by: <) {
        print("\(count) refused: \(reason)")
      }
      print("\(choice.item): \(conformance.checked) checked, \(conformance.failures.count) failures")
      line.advance(choice.item)
      // A kernel that refuses everything has not been checked.
      if !conformance.failures.isEmpty || conformance.checked == 0 { wrong.append(choice.item) }
    }
    guard wrong.isEmpty else {
      throw WorkbenchError(
        "\(wrong.joined(separator: ", ")): differs from its definition, or was never checked; see the lines above."
      )
    }
  }
}
