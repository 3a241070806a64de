import Foundation
import Kernels
import Learning
import Networks
import Tensors

/// The runs that a sweep consists of, in the order of its tables.
struct SweepPlan: Sendable {
  /// One run: what a record is kept of.
  struct Run: Sendable {
    /// Everything that defines it.
    let definition: [String: String]
    /// The record's name.
    let name: String
    /// What it is, for people.
    let label: String
    /// The items of the kernels that it is about.
    let kernels: [String]
    /// How to do it.
    let work: Work

    /// Whether a network is trained.
    var isTraining: Bool { if case .training = work { true } else { false } }

    /// Whether it depends on what else the machine does, so that it is done alone.
    var isTimed: Bool {
      switch work {
      case .operators, .layers: true
      case .match(_, _, let budget): budget == .latency
      case .network(_, let seconds, _): seconds != nil
      case .field, .training: false
      }
    }
  }

  /// What is done in a run.
  enum Work: Sendable {
    /// Times one problem: all kernels, algorithms and passes, taking turns.
    case operators(ProblemFile.Line, OperatorStudy.Plan)
    /// Counts and times the networks of a model: all kernels, taking turns.
    case network(Specification, seconds: Double?, withProxies: Bool)
    /// Times the layers of the networks of a model.
    case layers(Specification)
    /// Measures the receptive field of a stack of one kernel.
    case field(FieldSettings, KernelChoice)
    /// Searches the widths at which the networks of a model cost as much as the standard one.
    case match(Specification, SweepModel, Budget)
    /// Trains one network; `network` is the name of the run that measures its model.
    case training(Specification, KernelChoice, seed: Int, network: String)
  }

  /// The runs on one model and data set.
  struct Comparison: Sendable {
    let specification: Specification
    /// What defines all runs on the model and the data.
    let shared: [String: String]
    let network: Run
    let layers: Run?
    let trainings: [Run]
    /// How rates are chosen; empty if they are not.
    var tunings: [Tuning] = []
    /// The widths' budget; nil if all are as wide.
    var match: Budget?
    /// The run that measured widths; nil if none did.
    var matching: Run?
    /// The measurements of a space, of which `network` is the first network's; nil where the networks are no space.
    var space: SpaceRuns?
    /// What verdicts are asked for.
    let terms: VerdictTerms

    /// All that is measured.
    var measurements: [Run] { (space?.all ?? [network]) + (layers.map { [$0] } ?? []) }
  }

  /// The runs of a group.
  struct Group: Sendable {
    let name: String?
    let threads: Int
    let operators: [Run]
    let fields: [Run]
    let comparisons: [Comparison]
    /// What is to be done before comparisons that are missing here can be planned.
    var matchings: [Run] = []
  }

  /// The groups, in the file's order.
  let groups: [Group]

  /// Whether the groups have names: the tables then have a column for them.
  var isGrouped: Bool { groups.contains { $0.name != nil } }

  /// Whether all is planned: nothing waits for a rate or a width that is still to be chosen.
  var isComplete: Bool {
    groups.allSatisfy { group in
      group.matchings.isEmpty
        && group.comparisons.allSatisfy { $0.tunings.allSatisfy { $0.chosen != nil } }
    }
  }

  /// Every run once, in the order in which they are done: what is timed first, while nothing else runs.
  var runs: [Run] {
    let comparisons = groups.flatMap(\.comparisons)
    var all = groups.flatMap(\.operators)
    for group in groups { all += group.matchings + group.comparisons.compactMap(\.matching) }
    all += comparisons.flatMap(\.measurements)
    all += groups.flatMap(\.fields)
    for tuning in comparisons.flatMap(\.tunings) { all += tuning.candidates.flatMap(\.runs) }
    all += comparisons.flatMap(\.trainings)
    return all.uniqued(by: \.name)
  }

  /// Loads the data and names every run.
  ///
  /// - Parameters:
  ///   - threads: what operators and networks are timed with: it defines those runs.
  ///   - records: what is known: which rates and widths were chosen.
  init(_ sweep: Sweep, threads: Int, _ records: [String: SweepRecord] = [:]) throws {
    let networks = sweep.groups.map {
      Double($0.kernels.count) * Double($0.models.count) * Double($0.data.count)
        * Double(max($0.seeds.count, 1))
    }
    guard networks.reduce(0, +) <= Self.most else {
      throw WorkbenchError(
        "The sweep has more than \(Int(Self.most)) trainings; leave out kernels, models, data or seeds.")
    }
    var loaded: [String: (data: Dataset, definition: [String: String])] = [:]
    func load(_ source: Located<String>) throws -> (data: Dataset, definition: [String: String]) {
      if let known = loaded[source.value] { return known }
      let data = try source.map(Dataset.load)
      let kind = source.value.prefix { $0 != ":" }
      let result = (data, ["data": String(kind), "data.content": Fingerprint.of(data)])
      loaded[source.value] = result
      return result
    }
    groups = try sweep.groups.map { group in
      var comparisons: [Comparison] = [], matchings: [Run] = []
      for model in group.models {
        for source in group.data {
          let (data, dataDefinition) = try load(source)
          if group.tune != nil { try source.map { _ in try RateTuning.check(data) } }
          let (comparison, matching) = try Self.comparison(
            group, model, data, dataDefinition, threads, records)
          if let comparison { comparisons.append(comparison) }
          if let matching { matchings.append(matching) }
        }
      }
      return Group(
        name: group.name, threads: threads,
        operators: try group.operators.map { try Self.operators($0, group.kernels, threads) } ?? [],
        fields: try group.fields.map { try Self.fields($0, group.kernels) } ?? [],
        comparisons: comparisons, matchings: matchings)
    }
  }

  /// The most trainings: their list takes some kilobytes each.
  private static let most = 1e6

  static func run(
    _ definition: [String: String], _ label: String, _ kernels: [KernelChoice], _ work: Work
  ) throws -> Run {
    Run(
      definition: definition, name: try SweepRecord.name(definition), label: label,
      kernels: kernels.map(\.item), work: work)
  }

  private static func operators(
    _ wanted: SweepOperators, _ kernels: [KernelChoice], _ threads: Int
  ) throws -> [Run] {
    var plan = OperatorStudy.Plan(kernels, threads: threads)
    plan.algorithms = wanted.algorithms
    plan.passes = wanted.passes
    plan.seconds = wanted.seconds
    let algorithms =
      switch wanted.algorithms {
      case .all: "all"
      case .automatic: "auto"
      case .named(let names): names.joined(separator: ",")
      }
    return try wanted.problems.map { line in
      try run(
        [
          "kind": "operators", "problem": line.text, "kernels": list(kernels), "algorithms": algorithms,
          "passes": wanted.passes.map(\.rawValue).joined(separator: ","), "seconds": "\(wanted.seconds)",
          "threads": "\(threads)",
        ], line.text, kernels, .operators(line, plan))
    }
  }

  /// The runs on one model and data set; and what has to be done first where widths are not known yet.
  private static func comparison(
    _ group: SweepGroup, _ model: SweepModel, _ data: Dataset, _ dataDefinition: [String: String],
    _ threads: Int, _ records: [String: SweepRecord]
  ) throws -> (Comparison?, matching: Run?) {
    let description = try model.description(data.train.images.shape[3], data.classes)
    let recipe =
      group.recipe?.recipe(isRegression: data.isRegression, hasPenalties: description.hasPenalties)
      ?? .standard(epochs: 0)
    let kernels = model.kernels ?? group.kernels
    try data.check(fits: recipe)
    var specification = try Specification(
      kernels: kernels, data: data, model: description, recipe: recipe, seeds: group.seeds.count,
      threads: threads)
    let place = "\(model.label) (\(specification.model.replacement.rawValue)) on \(data.name)"
    var models: [String: SweepModel] = [:], matching: Run?
    var shared = model.definition.merging(dataDefinition) { $1 }
    if let budget = group.match {
      let (widths, run) = try Self.widths(budget, specification, model, shared, place, records)
      guard let widths else { return (nil, run) }
      matching = run
      for (choice, width) in zip(group.kernels, widths) {
        let own = width.factor == 1 ? model : try model.widened(model.width * width.factor)
        models[choice.item] = own
        specification.matched[choice.item] = MatchedModel(
          description: try own.description(data.train.images.shape[3], data.classes), width: own.width,
          reached: width.reached)
      }
      shared["widths"] = widths.map { "\(model.width * $0.factor)" }.joined(separator: ",")
    }
    var definition = shared
    definition["kind"] = "network"
    definition["kernels"] = list(group.kernels)
    definition["seconds"] = group.latencySeconds.map { "\($0)" } ?? "untimed"
    definition["proxies"] = group.hasProxies ? "on" : "off"
    if group.latencySeconds != nil { definition["threads"] = "\(threads)" }
    let space = try model.kernels.map { _ in
      try Self.space(specification, group.kernels, group, shared, place)
    }
    let network =
      try space?.networks[0]
      ?? run(
        definition, place, group.kernels,
        .network(specification, seconds: group.latencySeconds, withProxies: group.hasProxies))
    let layers = try group.hasLayers ? Self.layers(specification.with(group.kernels), shared, place) : nil
    guard group.recipe != nil else {
      return (
        Comparison(
          specification: specification, shared: shared, network: network, layers: layers, trainings: [],
          match: group.match,
          matching: matching, space: space, terms: group.terms), nil
      )
    }
    var tunings: [Tuning] = [], trainings: [Run] = []
    for (index, choice) in kernels.enumerated() {
      let measured = space?.networks[index] ?? network
      // A network of another width is that of a model of this width, however it came to it.
      let own = (models[choice.item] ?? model).definition.merging(dataDefinition) { $1 }
      var tuned = specification
      if let tune = group.tune {
        let tuning = try Self.tuning(
          tune, specification, choice, finalSeeds: group.seeds, own, place: place, network: measured.name,
          records)
        tunings.append(tuning)
        guard let rate = tuning.chosen else { continue }
        tuned.recipe.schedule.rate = rate
      }
      trainings += try group.seeds.map { [tuned] seed in
        try training(tuned, choice, seed: seed, own, place, network: measured.name)
      }
    }
    return (
      Comparison(
        specification: specification, shared: shared, network: network, layers: layers, trainings: trainings,
        tunings: tunings, match: group.match, matching: matching, space: space, terms: group.terms), nil
    )
  }

  /// The training of a kernel's network.
  ///
  /// - Parameters:
  ///   - shared: what defines all runs on the model and the data.
  ///   - network: the run that measures the model.
  static func training(
    _ specification: Specification, _ choice: KernelChoice, seed: Int, _ shared: [String: String],
    _ place: String, network: String
  ) throws -> Run {
    var definition = shared.merging(specification.recipe.definition) { $1 }
    definition["kind"] = "training"
    definition["kernel"] = choice.item
    definition["seed"] = "\(seed)"
    return try run(
      definition, "\(choice.item), seed \(seed): \(place)", [choice],
      .training(specification, choice, seed: seed, network: network))
  }

  /// The widths of the kernels' networks, in their order; nil while a run has still to measure them.
  private static func widths(
    _ budget: Budget, _ specification: Specification, _ model: SweepModel, _ shared: [String: String],
    _ place: String, _ records: [String: SweepRecord]
  ) throws -> (widths: [MatchedWidth]?, matching: Run?) {
    guard budget == .latency else { return (try specification.matchedWidths(model, budget), nil) }
    var definition = shared
    definition["kind"] = "match"
    definition["match"] = budget.rawValue
    definition["kernels"] = list(specification.kernels)
    definition["threads"] = "\(specification.threads)"
    let matching = try run(
      definition, "widths of \(place)", specification.kernels, .match(specification, model, budget))
    let known = records[matching.name]?.result.widths
    return (known?.count == specification.kernels.count ? known : nil, matching)
  }

  private static func fields(_ settings: FieldSettings, _ kernels: [KernelChoice]) throws -> [Run] {
    try kernels.map { kernel in
      let own = ["kind": "field", "kernel": kernel.item]
      return try run(
        settings.definition.merging(own) { $1 }, "\(kernel.item): field of \(settings.depth) layers",
        [kernel],
        .field(settings, kernel))
    }
  }

  static func layers(_ specification: Specification, _ shared: [String: String], _ place: String)
    throws -> Run
  {
    let own = [
      "kind": "layers", "kernels": list(specification.kernels), "threads": "\(specification.threads)",
    ]
    return try run(
      shared.merging(own) { $1 }, "layers of \(place)", specification.kernels, .layers(specification))
  }

  static func list(_ kernels: [KernelChoice]) -> String {
    kernels.map(\.item).joined(separator: ",")
  }
}

/// Some kinds of a sweep's runs.
package enum SweepPart: String, CaseIterable, Sendable {
  /// All of them.
  case all
  /// Those that are timed, which want a machine of their own.
  case timings
  /// The others.
  case rest

  func contains(_ run: SweepPlan.Run) -> Bool { self == .all || (self == .timings) == run.isTimed }
}
