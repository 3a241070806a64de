import Command
import Conformance
import Foundation
import Kernels

let registry = KernelRegistry(KernelRegistry.builtIn.kernels + [Cross()])

// `own-kernel check` runs the conformance checker on the new kernel; anything else is the usual command.
if CommandLine.arguments.dropFirst().first == "check" {
  var conformance = Conformance()
  conformance.check(try registry.choice("cross"), cases: try ConformanceCase.standardCases())
  conformance.failures.forEach { print($0) }
  print("\(conformance.checked) checked, \(conformance.failures.count) failures")
  exit(conformance.failures.isEmpty ? 0 : 1)
}
ExperimentCommand.main(kernels: registry)
