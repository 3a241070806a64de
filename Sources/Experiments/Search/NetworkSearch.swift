import Tensors

/// Looks for the best network of a space while evaluating few of them. A network is the number of each place's kernel.
struct NetworkSearch {
  /// How it chooses what to evaluate.
  enum Method: String, CaseIterable, Sendable {
    /// Networks drawn at random, without repetition.
    case random
    /// Regularised evolution (Real et al., 2019, arXiv:1802.01548): the best of a sample of the population is changed in one
    /// place and joins it; the oldest leaves.
    case evolution
    /// Successive halving (Jamieson and Talwalkar, 2016, arXiv:1502.07943): of nine networks trained for a ninth of the
    /// epochs, three are trained for a third, and one to its end.
    case halving
  }

  /// Something was learned: what was spent until then, in whole trainings, and the best network so far.
  struct Step {
    let spent: Double
    let best: [Int]
  }

  /// How many networks evolution keeps, and how many of them compete to be a parent.
  static let population = 12, sample = 4
  /// The shares of a training after which halving keeps a third.
  static let shares = [1.0 / 9, 1.0 / 3, 1]

  private let kernels: Int, places: Int
  private let isAllowed: ([Int]) -> Bool
  private let evaluate: ([Int], Double) throws -> Double
  private var random: Random
  private var spent = 0.0
  /// What was trained to its end, and what was begun.
  private var known: [[Int]: Double] = [:], begun = Set<[Int]>()
  private var best: (network: [Int], value: Double)?
  private var steps: [Step] = []

  /// A search.
  ///
  /// - Parameters:
  ///   - kernels: how many kernels each place can have.
  ///   - isAllowed: whether a network exists and is within the budget.
  ///   - evaluate: the accuracy of a network after a share of a whole training.
  init(
    kernels: Int, places: Int, random: Random, isAllowed: @escaping ([Int]) -> Bool,
    evaluate: @escaping ([Int], _ share: Double) throws -> Double
  ) {
    self.kernels = kernels
    self.places = places
    self.random = random
    self.isAllowed = isAllowed
    self.evaluate = evaluate
  }

  /// Searches until so many whole trainings are spent, or nothing is left.
  mutating func run(_ method: Method, evaluations: Int) throws -> [Step] {
    // Shares add up but for rounding.
    let limit = Double(evaluations) - 1e-6
    switch method {
    case .random: while spent < limit, let network = draw() { try train(network) }
    case .evolution: try evolve(limit)
    case .halving:
      var isLeft = true
      while spent < limit, isLeft { isLeft = try halve() }
    }
    return steps
  }

  private mutating func evolve(_ limit: Double) throws {
    var population: [(network: [Int], value: Double)] = [], idle = 0
    while spent < limit {
      var child: [Int]?
      // After many children that are known already, the population is of one kind: something new joins it.
      if population.count == Self.population, idle < 50 {
        let sample = (0..<Self.sample).map { _ in population[random.below(population.count)] }
        child = sample.max { $0.value < $1.value }.flatMap { changed($0.network) }
      }
      guard let network = child ?? draw() else { return }
      idle = known[network] == nil ? 0 : idle + 1
      if known[network] == nil { try train(network) }
      population.append((network, known[network] ?? 0))
      if population.count > Self.population { population.removeFirst() }
    }
  }

  /// One round of halving; false if no network is left.
  private mutating func halve() throws -> Bool {
    var round: [[Int]] = []
    while round.count < 9, let network = draw() { round.append(network) }
    guard !round.isEmpty else { return false }
    for share in Self.shares {
      var values: [(network: [Int], value: Double)] = []
      for network in round { values.append((network, try spend(network, share))) }
      round = values.sorted { $0.value > $1.value }.prefix(max(1, values.count / 3)).map(\.network)
    }
    return true
  }

  /// A network that was not begun; nil if none is found.
  private mutating func draw() -> [Int]? {
    for _ in 0..<10_000 {
      let network = (0..<places).map { _ in random.below(kernels) }
      if !begun.contains(network), isAllowed(network) {
        begun.insert(network)
        return network
      }
    }
    return nil
  }

  /// The network with another kernel in one place; nil if none of them is allowed.
  private mutating func changed(_ network: [Int]) -> [Int]? {
    guard kernels > 1 else { return nil }
    for _ in 0..<100 {
      var child = network
      let place = random.below(places), other = random.below(kernels - 1)
      child[place] = other < network[place] ? other : other + 1
      if isAllowed(child) { return child }
    }
    return nil
  }

  private mutating func train(_ network: [Int]) throws { _ = try spend(network, 1) }

  /// Evaluates a network. What was trained to its end counts; before anything was, what is best so far.
  private mutating func spend(_ network: [Int], _ share: Double) throws -> Double {
    let value = try evaluate(network, share)
    spent += share
    begun.insert(network)
    let isWhole = share == 1
    if isWhole || known.isEmpty {
      // Whole trainings replace short ones.
      let isFirst = isWhole && known.isEmpty
      if isFirst || value > best?.value ?? -.infinity { best = (network, value) }
    }
    if isWhole { known[network] = value }
    if let best { steps.append(Step(spent: spent, best: best.network)) }
    return value
  }
}
