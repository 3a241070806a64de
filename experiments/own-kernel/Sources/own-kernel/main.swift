import Command
import Conformance
import Foundation
import Kernels

/// A composed kernel, a sampling, and an algorithm: each in its own file, with what the built-in operators use.
let own: [any Kernel] = [Cross(), Reflected(), Columns()]
let registry = KernelRegistry(KernelRegistry.builtIn.kernels + own)

// `own-kernel check` runs the conformance checker on the new kernels; anything else is the usual command.
if CommandLine.arguments.dropFirst().first == "check" {
  var isFine = true
  // Where a layer reads what is not its own, the program stops: the terminal then shows in which case.
  let isTerminal = isatty(STDERR_FILENO) == 1
  @Sendable func show(_ label: String) {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1b}[K\(label)".utf8)) }
  }
  for kernel in own {
    var conformance = Conformance(announce: show)
    conformance.check(try registry.choice(kernel.name), cases: try ConformanceCase.standardCases())
    show("")
    conformance.failures.forEach { print($0) }
    for (reason, count) in conformance.refusalsByReason.sorted(by: <) { print("\(count) refused: \(reason)") }
    print("\(kernel.name): \(conformance.checked) checked, \(conformance.failures.count) failures")
    // A kernel that refuses everything has not been checked.
    isFine = isFine && conformance.failures.isEmpty && conformance.checked > 0
  }
  exit(isFine ? 0 : 1)
}
ExperimentCommand.main(kernels: registry)
