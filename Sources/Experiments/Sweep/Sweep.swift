import Kernels
import Learning
import Networks

/// An experiment as a file describes it: groups of runs that share everything but what varies within them.
public struct Sweep: Sendable {
  /// The groups, in the file's order; a file without `groups` is one.
  public let groups: [SweepGroup]

  /// Whether the file names its groups: the tables then have a column for them.
  var isGrouped: Bool { groups.contains { $0.name != nil } }

  /// Reads a file.
  ///
  /// - Throws: a ``WorkbenchError`` of the form `FILE:LINE: SENTENCE`.
  public init(file: String, _ vocabulary: SweepVocabulary) throws {
    self = try SweepParser(vocabulary).sweep(YAMLValue.read(file))
  }

  init(groups: [SweepGroup]) { self.groups = groups }
}

/// Runs that share a recipe, seeds and measurements: kernels × models × data.
public struct SweepGroup: Sendable {
  /// The name in the tables, if the file has groups.
  let name: String?
  /// The kernels, `standard` first.
  let kernels: [KernelChoice]
  /// The models, each with what it replaces.
  let models: [SweepModel]
  /// Specifications of data sets.
  let data: [Located<String>]
  /// The seeds of trainings.
  let seeds: [Int]
  /// How networks are trained; nil if they are not.
  let recipe: SweepVocabulary.RecipeMaker?
  /// How long the networks of a model may be timed together, in seconds; nil if they are not.
  let latencySeconds: Double?
  /// Whether the proxies of networks are computed.
  let hasProxies: Bool
  /// Whether the layers of networks are timed.
  let hasLayers: Bool
  /// What receptive fields are measured; nil if none are.
  let fields: SweepFields?
  /// What is timed of operators; nil if nothing is.
  let operators: SweepOperators?
}

/// A model of a sweep.
struct SweepModel: Sendable {
  /// The model's name, with its options behind colons: the `model` column.
  let label: String
  /// What of it defines a run.
  let definition: [String: String]
  /// Its description for data of so many channels and classes.
  let description: @Sendable (_ channels: Int, _ classes: Int) throws -> any ModelDescription
}

/// What is timed of operators.
struct SweepOperators: Sendable {
  var problems: [ProblemFile.Line]
  var algorithms: OperatorStudy.Algorithms
  var passes: [TimedPass]
  var seconds: Double
}

/// A value, and how to say in which line of the file something is wrong with it.
struct Located<Value: Sendable>: Sendable {
  let value: Value
  let place: String

  init(_ value: Value, _ source: YAMLValue) {
    self.value = value
    place = "\(source.file):\(source.line)"
  }
}
