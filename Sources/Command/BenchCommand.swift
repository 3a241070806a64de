import ArgumentParser
import Experiments
import Foundation
import Kernels
import Layers
import Networks
import Tensors

/// `experiment bench`: speed of operators and of whole models.
struct BenchCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time operators, given as benchdnn problem strings, or whole models.",
    discussion: """
      Example: swift run experiment bench --problem mb1_ic64ih56oc64oh56kh3ph1 --conv standard,dilated --threads 1

      Without problems, the 3×3 convolutions of ResNet-50's four stages are timed.
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Problems in the notation of oneDNN's benchdnn, such as mb1_ic64ih56oc64oh56kh3ph1.",
      valueName: "string"))
  var problem: [String] = []
  @Option(help: ArgumentHelp("A file with one problem string per line, such as oneDNN's.", valueName: "file"))
  var problems: String?
  @OptionGroup(title: "A model")
  var model: ModelArgument
  @Option(
    help: ArgumentHelp(
      "Kernels, separated by commas, or all (default: the model's own); standard is timed too.",
      valueName: "names"))
  var conv: String?
  @Option(
    help: ArgumentHelp(
      "auto (the fastest by estimate), all, or names of algorithms, separated by commas.", valueName: "names")
  )
  var algorithm = "auto"
  @Option(
    name: .customLong("pass"),
    help: "forward, backward or training (forward and backward; for a model, a whole step).")
  var pass = TimedPass.forward
  @Option(help: ArgumentHelp("The batch size (default: the problems' own; 1 for a model).", valueName: "n"))
  var batch: Int?
  @Option(
    help: ArgumentHelp("The size of a model's images, CxHxW (default: the model's own).", valueName: "size"))
  var input: ImageArgument?
  @OptionGroup(title: "A model")
  var variations: ModelOptions
  @Flag(help: "Print a table of a model's layers in inference.")
  var detail = false
  @Option(
    help: ArgumentHelp("The file for the times of a model's layers in inference.", valueName: "file.csv"))
  var layers: String?
  @OptionGroup
  var threads: ThreadOption
  @Option(
    help: ArgumentHelp("Seconds to spend on each problem or model, approximately.", valueName: "s"))
  var seconds = 1.0
  @Flag(help: "Choose algorithms by measuring them, in inference, instead of by estimates.")
  var tune = false
  @Option(help: ArgumentHelp("Where --tune remembers its choices.", valueName: "file.json"))
  var tuneFile: String?
  @Option(help: .rows)
  var csv: String?

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    if let batch { try check(batch, "--batch", 1...1_048_576) }
    guard seconds > 0, seconds <= 3600 else {
      throw ValidationError("--seconds must be above 0 and at most 3600.")
    }
    let sources = [!problem.isEmpty, problems != nil, model.name != nil].filter { $0 }.count
    guard sources <= 1 else { throw ValidationError("Give only one of --problem, --problems and a model.") }
    guard model.name != nil || (input == nil && !detail && layers == nil && variations.areDefault) else {
      throw ValidationError(
        "--input, --detail, --layers, --replace and the like belong to a model; name one, such as resnet50.")
    }
    guard (!detail && layers == nil) || pass == .forward else {
      throw ValidationError("--detail and --layers show inference; leave out --pass.")
    }
    guard tune || tuneFile == nil else { throw ValidationError("--tune-file needs --tune.") }
    try check(outputs: [("--csv", csv), ("--tune-file", tuneFile), ("--layers", layers)])
  }

  func run() throws {
    let model = model.name
    let own = try model.flatMap { try Models.description($0, inputChannels: 1, classes: 1).ownKernel }
    let items = conv ?? own ?? "standard"
    let kernels = try variations.kernels(ExperimentCommand.registry.choicesBesideStandard(items))
    let tuning = tune ? AlgorithmTuning(try tuneFile.map(TuningFile.read) ?? [:]) : nil
    for path in [csv, tuneFile, layers].compactMap({ $0 }) { try AtomicFile.checkFolder(of: path) }
    Cancellation.listen()
    let machine = MachineRecord.current()
    var rows: [OperatorRow] = [], files: [(path: String, data: Data)] = []
    var isCancelled = false
    do {
      if let model {
        let study = try timeModel(model, kernels, tuning)
        rows = study.rows
        if detail, !printing.json, !printing.quiet {
          for profile in study.profiles { print(BenchTables.text(profile.kernel, profile.layers) + "\n") }
        }
        if let layers {
          let times = study.profiles.flatMap { LayerTime.rows($0.kernel, $0.layers) }
          let table = CSVTable(layers: times, of: try description(model), threads: threads.count)
          files.append((layers, Data(table.text.utf8)))
        }
      } else {
        var study = OperatorStudy(try plan(kernels, tuning))
        let lines = try readProblems()
        defer { rows = study.rows }
        let progress = ProgressLine("problems", total: lines.count)
        defer { progress.finish() }
        for line in lines {
          switch line.problem {
          case .success(let problem): try study.run(problem, progress)
          case .failure(let unsupported): study.add(unsupported: line.text, unsupported.description)
          }
        }
      }
    } catch is Cancellation.Requested {
      isCancelled = true
    }
    let table = CSVTable(operators: rows, threads: threads.count, machine)
    if let csv { files.append((csv, Data(table.text.utf8))) }
    if let tuning, let tuneFile { files.append((tuneFile, try TuningFile.contents(tuning.known))) }
    try AtomicFile.write(files)
    if isCancelled {
      throw csv.map {
        Cancellation.Requested("Stopped: the rows so far are in \($0); the same command starts again.")
      }
        ?? Cancellation.Requested()
    }
    printing.show(
      BenchTables.text(rows, threads: threads.count, machine), ["operators": table])
    if let disagreement = rows.disagreement { throw WorkbenchError(disagreement) }
    // A kernel named on the command line that could not be run is a failure; a file or `all` runs what it can.
    if problems == nil, conv != "all", algorithm != "all", let refusal = rows.compactMap(\.refusal).first {
      throw WorkbenchError(refusal.reason)
    }
  }

  private func readProblems() throws -> [ProblemFile.Line] {
    if let problems { return try ProblemFile.read(problems, batch: batch) }
    if !problem.isEmpty { return try problem.map { try ProblemFile.line($0, batch: batch) } }
    return try OperatorStudy.bottleneckStages().map { try ProblemFile.line($0.text, batch: batch) }
  }

  private func plan(_ kernels: [KernelChoice], _ tuning: AlgorithmTuning?) throws -> OperatorStudy.Plan {
    var plan = OperatorStudy.Plan(kernels, threads: threads.count)
    switch algorithm {
    case "auto": plan.algorithms = .automatic
    case "all": plan.algorithms = .all
    default:
      let names = algorithm.split(separator: ",").map(String.init)
      let known = Set(kernels.flatMap(\.kernel.algorithms) + ["auto"])
      if let unknown = names.first(where: { !known.contains($0) }) {
        throw WorkbenchError(
          "There is no algorithm ‘\(unknown)’; \(suggestion(for: unknown, among: ["auto", "all"] + known.subtracting(["auto"]).sorted()))"
        )
      }
      plan.algorithms = .named(names)
    }
    plan.passes = [pass]
    plan.seconds = seconds
    plan.tuning = tuning
    return plan
  }

  private func timeModel(_ name: String, _ kernels: [KernelChoice], _ tuning: AlgorithmTuning?) throws
    -> ModelStudy
  {
    let shape = input?.shape ?? Models.input(name)
    let description = try description(name)
    guard algorithm != "all" else {
      throw WorkbenchError("A model is timed with one algorithm at a time; give its name, or auto.")
    }
    return try ModelStudy(
      .init(
        kernels: kernels, model: description,
        algorithm: algorithm == "auto" ? nil : algorithm,
        input: FeatureShape(
          batch: batch ?? 1, height: shape.height, width: shape.width, channels: shape.channels),
        pass: pass, threads: threads.count, seconds: seconds, tuning: tuning),
      detail: detail || layers != nil)
  }

  private func description(_ name: String) throws -> any ModelDescription {
    try variations.description(
      name, inputChannels: (input?.shape ?? Models.input(name)).channels, classes: Models.classes(name))
  }
}

extension TimedPass: ExpressibleByArgument {}
