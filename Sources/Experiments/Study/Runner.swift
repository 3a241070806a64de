import Foundation
import Tensors

/// Runs the main job and writes its tables.
public enum Runner {
  /// What a run came to.
  public struct Outcome {
    /// The tables.
    public let results: Results
    /// Whether the user stopped it: the tables then hold what was finished.
    public let isCancelled: Bool
  }

  /// Measures and trains, then writes operators.csv, networks.csv, training.csv and machine.json into a folder.
  ///
  /// The folder and machine.json are made first, so that a wrong path costs no work. Each file is whole or not there.
  public static func run(_ specification: Specification, output: String) throws -> Outcome {
    let folder = URL(fileURLWithPath: output, isDirectory: true)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(output) cannot be made; choose another one with --output.")
    }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    let machine = MachineRecord.current()
    try machine.write(to: path("machine.json"))
    var operators = OperatorStudy(.init(specification.kernels, threads: specification.threads))
    var networks = NetworkStudy(specification)
    var isCancelled = false
    do {
      let stages = try OperatorStudy.bottleneckStages()
      let timing = ProgressLine("operators", total: stages.count)
      defer { timing.finish() }
      for stage in stages { try operators.run(stage, timing) }
      try networks.measure()
      let epochs = specification.kernels.count * specification.seeds * specification.recipe.epochs
      let training = ProgressLine("training", total: epochs)
      defer { training.finish() }
      try networks.train(training)
    } catch is Cancellation.Requested {
      isCancelled = true
    }
    let results = Results(
      specification, machine, operators: operators.rows, networks: networks.rows, runs: networks.runs)
    try results.operatorTable.write(to: path("operators.csv"))
    try results.networkTable.write(to: path("networks.csv"))
    try results.trainingTable.write(to: path("training.csv"))
    return Outcome(results: results, isCancelled: isCancelled)
  }
}
