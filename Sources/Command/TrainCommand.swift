import ArgumentParser
import Experiments
import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// `experiment train`: one network on one data set.
struct TrainCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model with a kernel on a data set; save and resume it.",
    discussion: """
      Example: swift run experiment train resnet20 --conv dilated --epochs 2 --save dilated.safetensors --log dilated.csv

      Besides the weights, --save writes dilated.resume.safetensors after each epoch and when the training is stopped \
      (Ctrl-C); --resume continues from there, bit for bit. The weights are those of the best epoch on the validation split. \
      The test split is used once, at the end, with these weights. The defaults are the main job's model and recipe, except for the epochs and, on tasks, the rate.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(help: .kernel)
  var conv: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(help: .data)
  var data = "digits"

  @Option(help: ArgumentHelp("Initial weights.", valueName: "file.safetensors"))
  var weights: String?
  @Flag(help: "Load the tensors that fit and list the others.")
  var partial = false
  @Option(
    help: ArgumentHelp(
      "Parameters to keep fixed, by prefixes of their names, such as conv1,bn1,layer1.",
      valueName: "names"))
  var freeze: String?
  @Option(
    help: ArgumentHelp(
      "The file for the weights; the training's state is saved next to it.",
      valueName: "file.safetensors"))
  var save: String?
  @Option(
    help: ArgumentHelp("Resume a saved training, under the same options.", valueName: "file.safetensors"))
  var resume: String?
  @Flag(help: "Overwrite the files of another training.")
  var force = false
  @Option(
    help: ArgumentHelp(
      "The log, a line for each step: step, epoch, loss, accuracy, rate.", valueName: "file.csv"))
  var log: String?
  @Option(help: .tensorboard)
  var tensorboard: String?

  @OptionGroup(title: "The recipe")
  var recipe: RecipeOptions
  @Flag(
    help:
      "Choose the rate first: 0.3, 1 and 3 times the recipe's are each trained once, with another seed, and compared on the validation split."
  )
  var tuneRate = false
  @Option(help: ArgumentHelp("Stop after this many steps in total.", valueName: "n"))
  var steps: Int?
  @Option(help: ArgumentHelp("The seed of initial weights and of the images' order.", valueName: "n"))
  var seed = 0
  @OptionGroup
  var threads: ThreadOption

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    try check(seed, "--seed", 0...Int(Int32.max))
    if let tensorboard, tensorboard.isEmpty {
      throw ValidationError("--tensorboard is empty; give a folder.")
    }
    if let steps { try check(steps, "--steps", 1...1_000_000_000) }
    guard weights != nil || !partial else { throw ValidationError("--partial needs --weights.") }
    try check(outputs: [("--save", save), ("--save", save.map(Checkpoint.path)), ("--log", log)])
    guard !tuneRate || resume == nil else {
      throw ValidationError(
        "--resume continues with the rate that was chosen; give that with --rate, and leave out --tune-rate.")
    }
    guard weights == nil || resume == nil else {
      throw ValidationError("--resume has its own weights; leave out --weights.")
    }
  }

  func run() throws {
    let name = model.name ?? Models.standard
    try checkOverwriting()
    let settings = try recipe.settings()
    let data = try loadData(data), shape = data.train.images.shape
    func makeNetwork(seed: Int) throws -> Network {
      try variations.network(
        name, conv, inputChannels: shape[3], classes: data.classes, seed: UInt64(seed))
    }
    let network = try makeNetwork(seed: seed)
    try data.check(fits: network.model)
    _ = try network.outputShape(
      for: FeatureShape(
        batch: min(settings.batch, data.train.count), height: shape[1], width: shape[2], channels: shape[3]))
    if let weights { try load(weights, into: network, partial: partial) }
    let prefixes = freeze.map { $0.split(separator: ",").map(String.init) } ?? []
    guard freeze == nil || !prefixes.isEmpty else {
      throw WorkbenchError("--freeze is empty; leave it out, or give the beginning of a parameter's name.")
    }
    for prefix in prefixes where !network.parameters.contains(where: { $0.name.hasPrefix(prefix) }) {
      throw WorkbenchError(
        "No parameter of \(name) starts with ‘\(prefix)’; see ‘experiment describe \(name)’.")
    }
    var plan = settings.recipe(
      isRegression: data.isRegression, hasPenalties: network.model.hasPenalties)
    try data.check(fits: plan)
    func isFrozen(_ parameter: String) -> Bool { prefixes.contains { parameter.hasPrefix($0) } }
    if tuneRate {
      Cancellation.listen()
      plan.schedule.rate = try tunedRate(plan, data) { seed in
        let network = try makeNetwork(seed: seed)
        if let weights { try load(weights, into: network, partial: partial) }
        return network
      } isFrozen: {
        isFrozen($0)
      }
    }
    let trainer = Trainer(
      network, on: data, plan, seed: UInt64(seed), threads: threads.count, isFrozen: isFrozen)
    guard !trainer.parameters.isEmpty else {
      throw WorkbenchError("All parameters are frozen, so there is nothing to train; shorten --freeze.")
    }
    Cancellation.listen()
    let perEpoch = (data.train.count + settings.batch - 1) / settings.batch
    let job = TrainingJob(
      definition: try definition(network.model, plan, data), save: save,
      resume: resume, log: log, tensorboard: tensorboard, lastStep: steps,
      metadata: [data.metadata, trainer.targetScale?.metadata ?? [:]].reduce(network.metadata) {
        $0.merging($1) { $1 }
      })
    printing.say(Self.header(network, data, trainer.targetScale, seed: seed, threads: threads.count))
    let progress = ProgressLine("steps", total: min(steps ?? .max, settings.epochs * perEpoch))
    defer { progress.finish() }
    var epochs: [EpochResult] = []
    let chosen: ChosenEpoch?
    do {
      chosen = try job.run(trainer, progress) {
        epochs.append($0)
        printing.say(Self.line($0))
      }
    } catch is Cancellation.Requested {
      progress.finish()
      throw Cancellation.Requested(
        "Stopped after step \(trainer.steps); \(howToResume(plan, withoutSteps: false))")
    }
    if let (loss, top1) = trainer.epochSoFar {
      let accuracy = top1.map { ", train \(Cell.fixed($0, decimals: 2)) %" } ?? ""
      printing.say(
        "Stopped after step \(trainer.steps): loss \(Cell.fixed(loss, decimals: 4))\(accuracy) in this epoch so far"
      )
    }
    if let chosen {
      if trainer.steps < settings.epochs * perEpoch {
        printing.say(
          "Stopped after epoch \(trainer.state.epoch): the last \(plan.patience ?? 0) brought no improvement."
        )
      }
      printing.say(Self.line(chosen, data))
      epochs.note(chosen)
    } else {
      printing.say("The test split is used after the last epoch, so not yet.")
    }
    if let save {
      let best =
        trainer.state.best.map { ", of epoch \($0.epoch), the best so far on the validation split" } ?? ""
      printing.say("Weights: \(save)\(chosen == nil ? best : "")")
    }
    if !trainer.isFinished, save != nil {
      printing.say("To continue, \(howToResume(plan, withoutSteps: true))")
    }
    if printing.json {
      print(CSVTable.json(["epochs": CSVTable(epochs: epochs, isRegression: data.isRegression)]))
    }
  }

  /// Refuses to overwrite a training other than the resumed one, or a log.
  private func checkOverwriting() throws {
    guard !force else { return }
    let old = log.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath() }
    if let log, resume == nil,
      (try? old?.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
    {
      throw WorkbenchError("\(log) exists; overwrite it with --force, or log to another file.")
    }
    guard let save else { return }
    func file(_ path: String) -> String {
      URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }
    let state = Checkpoint.path(beside: save),
      resumed = resume.map { [$0, Checkpoint.path(beside: $0)] } ?? []
    if resumed.map(file).contains(file(state)) { return }
    if FileManager.default.fileExists(atPath: state) {
      throw WorkbenchError(
        "\(state) holds a training; resume it with --resume \(save), overwrite it with --force, or save to another file."
      )
    }
    if FileManager.default.fileExists(atPath: save) {
      throw WorkbenchError("\(save) exists; overwrite it with --force, or save to another file.")
    }
  }

  /// The command that continues what was saved, or why there is none.
  private func howToResume(_ plan: Recipe, withoutSteps: Bool) -> String {
    guard let save else { return "nothing was saved, because --save was not given." }
    let command = shellCommand(
      withoutFlags: ["--partial", "--force", "--tune-rate"],
      options: Set(
        ["--resume", "--weights"] + (withoutSteps ? ["--steps"] : []) + (tuneRate ? ["--rate"] : [])),
      adding: ["--resume", Checkpoint.path(beside: save)]
        + (tuneRate ? ["--rate", "\(plan.schedule.rate)"] : []))
    return "resume it with: \(command)"
  }

  /// What is trained, and on what.
  private static func header(
    _ network: Network, _ data: Dataset, _ scale: TargetScale?, seed: Int, threads: Int
  ) -> String {
    func count(_ number: Int, _ one: String, _ many: String) -> String {
      "\(number) \(number == 1 ? one : many)"
    }
    let shape = data.train.images.shape
    let splits = Dataset.Split.allCases.compactMap { split in
      data[split].map { examples in
        let name = split == .train ? "training" : split.rawValue
        return
          "\(name) \(([examples.count, shape[3]] + shape[1...2]).map(String.init).joined(separator: "×"))"
      }
    }
    func list(_ values: [Double]) -> String {
      values.map { Cell.number($0, digits: 4) }.joined(separator: ", ")
    }
    let targets = scale.map {
      "trained on standardised targets: mean \(list($0.means)), deviation \(list($0.deviations))"
    }
    return [
      "\(network.model.name) with \(network.kernel): \(Cell.grouped(network.parameterCount)) parameters",
      "\(data.name): \(splits.joined(separator: ", ")) images (N×C×H×W), "
        + (data.isRegression
          ? count(data.classes, "value", "values") : count(data.classes, "class", "classes")),
      targets, "seed \(seed), \(count(threads, "thread", "threads"))",
    ].compactMap { $0 }.joined(separator: "\n")
  }

  /// Everything that the result depends on, except initial weights, which are in the checkpoint.
  private func definition(
    _ description: any ModelDescription, _ plan: Recipe, _ data: Dataset
  ) throws -> [String: String] {
    var definition = plan.savedDefinition
    definition["model"] = description.name
    definition["conv"] = conv ?? description.ownKernel ?? "standard"
    definition["data"] = data.definition
    definition["seed"] = "\(seed)"
    definition["freeze"] = freeze ?? "nothing"
    definition["replace"] = description.replacement.rawValue
    definition["dilation"] = variations.value(of: KernelOptions.dilation) ?? "the kernel's"
    definition["offset-groups"] = variations.value(of: KernelOptions.offsetGroups) ?? "the kernel's"
    if let initialization = description.initialization { definition["init"] = initialization.item }
    if let width = try variations.settings().width { definition["width"] = "\(width)" }
    guard let description = description.residual else { return definition }
    definition["stages"] = description.replacedStages.map { "\($0.sorted())" } ?? "all"
    definition["shortcut"] = description.shortcut.rawValue
    definition["stride-on"] = description.stridePlace.rawValue
    definition["dilate-stages"] = "\(description.dilatedStages.sorted())"
    if let expansion = description.innerExpansion { definition["expansion"] = "\(expansion)" }
    if description.block.isChosen { definition["block"] = description.block.rawValue }
    return definition
  }

  /// The result on the test split.
  private static func line(_ chosen: ChosenEpoch, _ data: Dataset) -> String {
    let choice =
      data.validation == nil
      ? "no validation split, so the last epoch is tested"
      : "epoch \(chosen.epoch), the best on the validation split"
    let more = [
      chosen.test.loss.map { ", loss \(Cell.fixed($0, decimals: 4))" },
      chosen.test.calibrationError.map { ", calibration error \(Cell.fixed($0, decimals: 4))" },
    ].compactMap { $0 }.joined()
    return "test: \(chosen.test.text)\(more) (\(choice))"
  }

  private static func line(_ result: EpochResult) -> String {
    let train = result.trainTop1.map { ", train \(Cell.fixed($0, decimals: 2)) %" } ?? ""
    let loss = result.validation?.loss.map { " (loss \(Cell.fixed($0, decimals: 4)))" } ?? ""
    return "epoch \(result.epoch): loss \(Cell.fixed(result.trainLoss, decimals: 4))\(train)"
      + "\(result.text)\(loss), rate \(Cell.number(result.rate, digits: 4)), \(Cell.fixed(result.seconds, decimals: 1)) s"
  }
}
