import Kernels
import Learning
import Networks
import Tensors

/// An experiment as a file describes it: groups of runs that share everything but what varies within them.
package struct Sweep: Sendable {
  /// The groups, in the file's order; a file without `groups` is one.
  package let groups: [SweepGroup]
  /// Whether it is a file's, or the main job.
  let experiment: MachineRecord.Experiment

  /// How many seeds may be asked for.
  package static let seedCounts = 1...10_000

  /// Reads a file.
  ///
  /// - Throws: a ``WorkbenchError`` of the form `FILE:LINE: SENTENCE`.
  package init(file: String, _ registry: KernelRegistry) throws {
    self = try SweepParser(registry).sweep(YAMLValue.read(file))
  }

  init(groups: [SweepGroup], _ experiment: MachineRecord.Experiment = .sweep) {
    self.groups = groups
    self.experiment = experiment
  }

  /// The main job: kernels as operators on the four stages of ResNet-50's bottleneck, then in a model on some data.
  ///
  /// - Parameters:
  ///   - kernels: `standard` first.
  ///   - seeds: the seeds 0 ..< `seeds` are trained.
  ///   - recipe: how networks are trained; nil if they are not.
  ///   - tune: how each kernel's rate is chosen; nil for the recipe's.
  ///   - match: the budget in which networks are matched to the standard one.
  ///   - margin: the largest difference that counts as equivalent, in points of accuracy.
  package static func mainJob(
    _ kernels: [KernelChoice], in model: SweepModel, on data: String, seeds: Int,
    recipe: RecipeSettings?, tune: RateTuning? = nil, match: Budget? = nil, margin: Double = Verdict.margin
  ) throws -> Sweep {
    // Settings that no network of the model can have are refused at once.
    for kernel in kernels { try model.description(1, 10).check(kernel) }
    var group = SweepGroup(
      name: nil, kernels: kernels, models: [model], data: [Located(data)], seeds: Array(0..<seeds),
      recipe: recipe, latencySeconds: 1, hasProxies: true, hasLayers: false, fields: nil,
      operators: try SweepOperators())
    group.tune = recipe == nil ? nil : tune
    group.match = match
    group.terms.margin = margin
    return Sweep(groups: [group], .run)
  }

  /// The kernels of the main job that a folder holds finished results of, in the order of its table: as long as nothing
  /// else is changed, they stay in its tables when others join them.
  package static func kernels(in output: String) -> [String] {
    let folder = ResultFolder(output)
    guard folder.machine?.experiment == .run else { return [] }
    return ((try? CSVTable(file: folder.path("networks.csv")))?.rows ?? []).compactMap { $0["kernel"] }
  }
}

/// Runs that share a recipe, seeds and measurements: kernels × models × data.
package struct SweepGroup: Sendable {
  /// The name in the tables, if the file has groups.
  let name: String?
  /// The kernels, `standard` first.
  let kernels: [KernelChoice]
  /// The models, each with what it replaces.
  var models: [SweepModel]
  /// Specifications of data sets.
  var data: [Located<String>]
  /// The seeds of trainings.
  var seeds: [Int]
  /// How networks are trained; nil if they are not.
  let recipe: RecipeSettings?
  /// How long the networks of a model may be timed together, in seconds; nil if they are not.
  var latencySeconds: Double?
  /// Whether the proxies of networks are computed.
  var hasProxies: Bool
  /// Whether the layers of networks are timed.
  var hasLayers: Bool
  /// What receptive fields are measured; nil if none are.
  var fields: FieldSettings?
  /// What is timed of operators; nil if nothing is.
  var operators: SweepOperators?
  /// How each kernel's rate is chosen; nil if all have the recipe's.
  var tune: RateTuning?
  /// What the kernels' networks are made to have as much of as the standard one; nil if they are as wide.
  var match: Budget?
  /// What verdicts are asked for.
  var terms = VerdictTerms()
  /// How seeds are added; nil if their number is fixed.
  var until: SeedsUntil?
  /// What networks there could be, if these are those of a space.
  var space: NetworkSpace?
}

/// A model of a sweep.
package struct SweepModel: Sendable {
  /// The model's name, with its options after colons: the `model` column.
  let label: String
  /// What of it defines a run.
  let definition: [String: String]
  /// The kernels of a space's networks, `standard` first; nil for those of the group.
  var kernels: [KernelChoice]?
  /// Its description for data with these numbers of channels and classes.
  let description: @Sendable (_ channels: Int, _ classes: Int) throws -> any ModelDescription
  /// The width factor of its own.
  let width: Double
  /// The same model with another width factor, under the same label.
  let widened: @Sendable (_ width: Double) throws -> SweepModel

  /// A model by its name, varied.
  ///
  /// - Parameters:
  ///   - notes: the settings that were given, by name, and how they are written.
  ///   - isLabelled: whether the label has them too.
  /// - Throws: a ``WorkbenchError`` if there is no such model.
  package init(
    _ name: String, _ settings: ModelSettings, _ notes: [(name: String, text: String)], isLabelled: Bool
  ) throws {
    let plain = try settings.description(name, inputChannels: 1, classes: 10)
    var definition = ["model": name, "replace": plain.replacement.rawValue]
    if plain.revision > 1 { definition["model.revision"] = "\(plain.revision)" }
    for note in notes { definition["model.\(note.name)"] = note.text }
    let texts = notes.map { $0.text == "on" ? ":\($0.name)" : ":\($0.name)=\($0.text)" }
    try self.init(name, settings, notes, label: isLabelled ? name + texts.joined() : name, definition)
  }

  private init(
    _ name: String, _ settings: ModelSettings, _ notes: [(name: String, text: String)], label: String,
    _ definition: [String: String]
  ) throws {
    self.definition = definition
    self.label = label
    description = { channels, classes in
      var description = try settings.description(name, inputChannels: channels, classes: classes)
      description.name = label
      return description
    }
    width = settings.width ?? 1
    widened = { width in
      var other = settings, wider = definition
      other.width = width
      wider["model.width"] = "\(width)"
      return try SweepModel(name, other, notes, label: label, wider)
    }
  }
}

/// What is timed of operators.
struct SweepOperators: Sendable {
  var problems: [ProblemFile.Line]
  var algorithms = OperatorStudy.Algorithms.all
  var passes = [TimedPass.forward, .backward]
  var seconds = 0.5

  /// The four stages of ResNet-50's bottleneck.
  init() throws {
    problems = try OperatorStudy.bottleneckStages().map { try ProblemFile.line($0.text, batch: nil) }
  }
}

/// A value, and how to say in which line of the file something is wrong with it.
struct Located<Value: Sendable>: Sendable {
  let value: Value
  private let place: String?

  /// A value, and its place in the file if it is from one.
  init(_ value: Value, _ source: YAMLValue? = nil) {
    self.value = value
    place = source.map { "\($0.file):\($0.line): " }
  }

  /// The value that is made of it; what `body` throws gets its place.
  func map<Result>(_ body: (Value) throws -> Result) throws -> Result {
    do { return try body(value) } catch let error as WorkbenchError {
      throw WorkbenchError((place ?? "") + error.description)
    }
  }
}
