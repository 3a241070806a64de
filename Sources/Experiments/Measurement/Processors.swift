import Foundation

/// The processors of this machine.
package enum Processors {
  /// How many this process should use: those that it may run on, and no more than Slurm gave its task.
  package static var usable: Int {
    let mask = ProcessInfo.processInfo.activeProcessorCount
    let given = ProcessInfo.processInfo.environment["SLURM_CPUS_PER_TASK"].flatMap { Int($0) } ?? mask
    return max(1, min(mask, given, 1024))
  }
}
