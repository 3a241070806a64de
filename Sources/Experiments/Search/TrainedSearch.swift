import Foundation
import Kernels
import Learning
import Networks
import Tensors

/// A search of a space that trains: each training is a record, as a sweep over the space would make it, so that it resumes
/// where it was and shares what is known.
package struct TrainedSearch {
  /// What is searched for, and how.
  package struct Settings {
    package var method = NetworkSearch.Method.evolution
    /// What a network may cost, such as `latency=1.2x`; the first one is what accuracy is held against.
    package var budgets: [String] = []
    /// Whole trainings.
    package var evaluations = 40
    /// A proxy, `params` or `macs`, which looks at networks first, and of how many it takes one.
    package var filter: String?
    package var candidates = 8
    /// How often the networks found are trained anew.
    package var freshSeeds = 3
    /// What the search's draws depend on.
    package var seed = 0

    package init() {}
  }

  let settings: Settings
  let space: NetworkSpace
  let comparison: SweepPlan.Comparison
  let budgets: [SearchBudget]
  /// Of how many places each network has a kernel.
  let places: Int
  /// The seed that the search trains with: the file's first; fresh ones are those after it.
  let seed: Int
  private let runner: SweepRunner
  private let registry: KernelRegistry

  /// A search in the space of a sweep's file.
  ///
  /// - Throws: a ``WorkbenchError`` if it is not one space of one model on data with a validation split.
  package init(_ sweep: Sweep, _ registry: KernelRegistry, _ settings: Settings, threads: Int) throws {
    guard sweep.groups.count == 1, let group = sweep.groups.first, let space = group.space,
      group.models.count == 1, group.data.count == 1
    else {
      throw WorkbenchError(
        "A search needs a file with one space, of one model on one data set; write one such file.")
    }
    guard group.recipe != nil else {
      throw WorkbenchError("The file trains nothing; say how with ‘training: …’.")
    }
    guard group.tune == nil, group.until == nil else {
      throw WorkbenchError(
        "A search trains each network once with the file's recipe; leave out tune and until, or sweep the file."
      )
    }
    budgets = try settings.budgets.map(SearchBudget.init)
    let isTimed = budgets.contains { $0.quantity == .latency }
    // Networks of one kernel each, which tell what blocks take.
    var base = group
    base.models[0].kernels = nil
    base.seeds = Array(group.seeds.prefix(1))
    base.latencySeconds = isTimed ? group.latencySeconds ?? 1 : nil
    base.hasLayers = isTimed
    base.hasProxies = false
    (base.fields, base.operators) = (nil, nil)
    runner = try SweepRunner(Sweep(groups: [base]), threads: threads)
    comparison = runner.plan.groups[0].comparisons[0]
    let data = comparison.specification.data
    guard data.validation != nil, !data.isRegression else {
      throw WorkbenchError(
        "A search chooses by the accuracy on a validation split; give the data \(data.name) one, such as validation=500 (docs/data.md)."
      )
    }
    places = try space.places(of: comparison.specification.model)
    seed = group.seeds[0]
    self.settings = settings
    self.space = space
    self.registry = registry
  }

  /// Searches, trains anew what was found, and writes DIR/search-….csv.
  ///
  /// - Parameter onStep: told in a sentence how far it is.
  package func run(output: String, onStep: @escaping (String) -> Void = { _ in }) throws -> SearchResult {
    let options = SweepRunner.Options(), (folder, claims) = try runner.enter(output, options)
    defer { claims.leave() }
    var machine = folder.machine ?? .current()
    machine.experiment = .sweep
    if folder.machine == nil { try claims.publish(folder.path("machine.json"), machine.write) }
    let keeper = RecordKeeper(try SweepRecords(output), claims)
    let work = Work(
      search: self, keeper: keeper,
      session: SweepSession(runner, folder, claims, keeper, machine, options))
    let result = try work.result(onStep)
    try result.table.write(to: folder.path(result.file))
    return result
  }

  /// A kernel for each place.
  func choice(_ network: [Int]) throws -> KernelChoice { try registry.choice(space.item(network)) }

  /// The training of a network.
  func training(_ choice: KernelChoice, seed: Int, epochs: Int) throws -> SweepPlan.Run {
    var specification = comparison.specification
    specification.recipe.epochs = epochs
    let name = "\(specification.model.name) on \(specification.data.name)"
    return try SweepPlan.training(
      specification, choice, seed: seed, comparison.shared, name, network: comparison.network.name)
  }
}

/// A search as it goes.
private final class Work {
  let search: TrainedSearch
  let keeper: RecordKeeper
  let session: SweepSession
  private var costs: [String: SearchResult.Costs?] = [:]
  private var evaluations: [SearchResult.Evaluation] = []
  private var specification: Specification { search.comparison.specification }

  init(search: TrainedSearch, keeper: RecordKeeper, session: SweepSession) {
    self.search = search
    self.keeper = keeper
    self.session = session
  }

  func result(_ onStep: @escaping (String) -> Void) throws -> SearchResult {
    let settings = search.settings, epochs = specification.recipe.epochs
    let time = try latency()
    func costs(_ choice: KernelChoice) throws -> SearchResult.Costs? { try self.costs(choice, time) }
    let standard = try costs(specification.standard)
    let limits = try search.budgets.map { budget in
      (
        quantity: budget.quantity,
        most: try budget.limit(standard: standard?[budget.quantity], in: "The space")
      )
    }
    func isAllowed(_ network: [Int]) throws -> Bool {
      guard let costs = try costs(search.choice(network)) else { return false }
      return limits.allSatisfy { limit in costs[limit.quantity].map { $0 <= limit.most } ?? false }
    }
    var spent = 0.0, best = -Double.infinity
    var method = NetworkSearch(
      kernels: search.space.kernels.count, places: search.places, epochs: epochs,
      random: Random(seed: UInt64(settings.seed)).split("search \(settings.method.rawValue)"),
      filter: settings.filter.map { proxy in
        NetworkSearch.Filter(candidates: settings.candidates) { networks in
          guard let quantity = SearchBudget.Quantity(rawValue: proxy) else {
            return try self.scores(networks, proxy)
          }
          return try networks.map { try costs(self.search.choice($0))?[quantity] ?? -.infinity }
        }
      }, isAllowed: isAllowed
    ) { networks, share in
      let values = try self.evaluate(networks, epochs: share, costs)
      spent += Double(networks.count * share) / Double(epochs)
      best = max(best, values.max() ?? best)
      onStep(
        "\(Cell.fixed(spent, decimals: spent == spent.rounded() ? 0 : 1)) of \(settings.evaluations) trainings; the best has \(Cell.fixed(best, decimals: 2)) % on validation images"
      )
      return values
    }
    _ = try method.run(settings.method, evaluations: settings.evaluations)
    guard evaluations.contains(where: { $0.value.isFinite }) else {
      throw WorkbenchError(
        evaluations.isEmpty
          ? "No network of the space is within \(settings.budgets.joined(separator: " and ")); allow more."
          : "All trainings of the search failed; see the records, and try a lower rate.")
    }
    return try SearchResult(
      search, evaluations, limits: limits, standard: standard,
      fresh: self.fresh(SearchResult.front(evaluations, by: search.axis, epochs)))
  }

  /// Does what there are no records of.
  private func perform(_ runs: [SweepPlan.Run]) throws {
    let left = runs.filter { keeper.records.known[$0.name] == nil && !keeper.refused.contains($0.name) }
    guard !left.isEmpty else { return }
    if try session.run(left) {
      throw Cancellation.Requested(
        "Stopped: \(SweepRunner.count(keeper.count, "run")) \(keeper.count == 1 ? "was" : "were") done and kept; the same command resumes."
      )
    }
    keeper.read(left.map(\.name))
    if let failure = session.failures.first { throw WorkbenchError(failure.text) }
  }

  /// What predicts latencies; nil where no budget asks for them.
  private func latency() throws -> ((KernelChoice) -> Double?)? {
    guard let residual = specification.model.residual, let layers = search.comparison.layers else {
      return nil
    }
    let network = search.comparison.network
    try perform([network, layers])
    let records = keeper.records.known
    let model = LatencyModel(
      residual, [], layers: records[layers.name]?.rows(\.layers) ?? [],
      networks: records[network.name]?.networkRows ?? [])
    guard let model else {
      throw WorkbenchError("No network of one kernel could be timed; leave out latency.")
    }
    return model.time
  }

  /// What a network costs; nil if there is no such network.
  private func costs(_ choice: KernelChoice, _ time: ((KernelChoice) -> Double?)?) throws -> SearchResult
    .Costs?
  {
    if let known = costs[choice.item] { return known }
    let input = specification.data.imageShape
    var found: SearchResult.Costs?
    if let network = try? specification.network(choice, seed: 0),
      (try? network.outputShape(for: input)) != nil
    {
      let cost = try network.cost(for: input, pass: .inference)
      found = [
        .params: Double(cost.parameters), .macs: Double(cost.macs), .energy: EnergyModel().arithmetic(cost),
      ]
      found?[.latency] = time?(choice)
    }
    costs[choice.item] = .some(found)
    return found
  }

  /// A proxy of some networks.
  private func scores(_ networks: [[Int]], _ name: String) throws -> [Double] {
    guard let proxy = Proxy(rawValue: name) else { throw WorkbenchError("There is no proxy ‘\(name)’.") }
    let runs = try networks.map { network in
      let choice = try search.choice(network)
      return try SweepPlan.network(
        specification, [choice], seconds: nil, withProxies: true, search.comparison.shared,
        "\(choice.item): \(specification.model.name) on \(specification.data.name)")
    }
    try perform(runs)
    let records = keeper.records.known
    return runs.map { records[$0.name]?.result.networks?.first?.proxies.values[proxy] ?? -.infinity }
  }

  /// The validation accuracies of the best epochs; −∞ of trainings that failed.
  private func evaluate(
    _ networks: [[Int]], epochs: Int, _ costs: (KernelChoice) throws -> SearchResult.Costs?
  ) throws -> [Double] {
    let choices = try networks.map(search.choice)
    let runs = try choices.map { try search.training($0, seed: search.seed, epochs: epochs) }
    try perform(runs)
    let records = keeper.records.known
    return try zip(choices, runs).map { choice, run in
      let value = RateTuning.Score([records[run.name]?.bestValidation]).value
      evaluations.append(
        .init(choice: choice, epochs: epochs, value: value, costs: try costs(choice) ?? [:]))
      return value
    }
  }

  /// The trainings of networks, and of the standard one, with seeds that the search did not use.
  private func fresh(_ front: [KernelChoice]) throws -> [SearchResult.Fresh] {
    let standard = specification.standard
    let choices = [standard] + front.filter { $0.item != standard.item }
    let seeds = (1...search.settings.freshSeeds).map { search.seed + $0 }
    let runs = try choices.map { choice in
      try seeds.map { try search.training(choice, seed: $0, epochs: specification.recipe.epochs) }
    }
    try perform(runs.flatMap { $0 })
    let records = keeper.records.known
    let trained = runs.map { $0.compactMap { SweepTables.trainedRun($0, records[$0.name]) } }
    let accuracies = NetworkAccuracies(
      trained.flatMap { $0 }, of: choices.map(\.item), standard: standard.item,
      images: specification.data.test.count)
    return zip(choices, runs).map { choice, runs in
      let validation = runs.compactMap { records[$0.name]?.bestValidation?.top1 }
      return .init(
        kernel: choice.item, seeds: validation.count, validation: Statistics.mean(validation),
        row: accuracies.rows[choice.item])
    }
  }
}
