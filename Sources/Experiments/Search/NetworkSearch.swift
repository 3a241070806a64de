import Tensors

/// Looks for the best network of a space while evaluating few of them. A network is the number of each place's kernel.
package struct NetworkSearch {
  /// How it chooses what to evaluate.
  package enum Method: String, CaseIterable, Sendable {
    /// Networks drawn at random, without repetition.
    case random
    /// Regularised evolution (Real et al., 2019, arXiv:1802.01548): the best of a sample of the population is changed in one
    /// place and joins it; the oldest leaves.
    case evolution
    /// Successive halving (Jamieson and Talwalkar, 2016, arXiv:1502.07943): of nine networks trained for a ninth of the
    /// epochs, but at least for one, three are trained for a third, and one to its end.
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

  /// What looks at networks before they are trained: of so many that are drawn, or changed, the one with the highest score
  /// is trained.
  struct Filter {
    let candidates: Int
    /// The scores of some networks; −∞ for one without.
    let scores: ([[Int]]) throws -> [Double]
  }

  private let kernels: Int, places: Int
  /// The epochs of a whole training.
  private let epochs: Int
  private let filter: Filter?
  private let isAllowed: ([Int]) throws -> Bool
  private let evaluate: ([[Int]], Int) throws -> [Double]
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
  ///   - epochs: those of a whole training.
  ///   - isAllowed: whether a network exists and is within the budget.
  ///   - evaluate: the accuracies of some networks, each after a training of the given number of epochs.
  init(
    kernels: Int, places: Int, epochs: Int, random: Random, filter: Filter? = nil,
    isAllowed: @escaping ([Int]) throws -> Bool,
    evaluate: @escaping ([[Int]], _ epochs: Int) throws -> [Double]
  ) {
    self.kernels = kernels
    self.places = places
    self.epochs = epochs
    self.filter = filter
    self.random = random
    self.isAllowed = isAllowed
    self.evaluate = evaluate
  }

  /// Searches until the given number of whole trainings is spent, or nothing is left.
  mutating func run(_ method: Method, evaluations: Int) throws -> [Step] {
    switch method {
    case .random:
      let networks = try draw(evaluations)
      _ = try train(networks)
    case .evolution: try evolve(evaluations)
    case .halving: while try halve(evaluations) {}
    }
    return steps
  }

  private mutating func evolve(_ evaluations: Int) throws {
    let first = try draw(min(Self.population, evaluations))
    let values = try train(first)
    var population = Array(zip(first, values)), idle = 0
    while spent + 0.5 < Double(evaluations) {
      var child: [Int]?
      // After many children that are known already, the population is of one kind: something new joins it.
      if population.count == Self.population, idle < 50 {
        let sample = (0..<Self.sample).map { _ in population[random.below(population.count)] }
        child = try sample.max { $0.1 < $1.1 }.flatMap { try changed($0.0) }
      }
      if child == nil { child = try draw(1).first }
      guard let network = child else { return }
      idle = known[network] == nil ? 0 : idle + 1
      if known[network] == nil { _ = try train([network]) }
      population.append((network, known[network] ?? 0))
      if population.count > Self.population { population.removeFirst() }
    }
  }

  /// The epochs after which halving keeps a third.
  private var rungs: [Int] { Self.shares.map { max(1, Int(($0 * Double(epochs)).rounded())) } }

  /// One round of halving; false if there is no room for one, or no network is left. The first always has room.
  private mutating func halve(_ evaluations: Int) throws -> Bool {
    let cost = zip([9, 3, 1], rungs).reduce(0) { $0 + $1.0 * $1.1 }
    guard steps.isEmpty || spent + Double(cost) / Double(epochs) < Double(evaluations) + 1e-6 else {
      return false
    }
    var round = try draw(9)
    guard !round.isEmpty else { return false }
    for rung in rungs {
      let values = try spend(round, rung)
      round = zip(round, values).sorted { $0.1 > $1.1 }.prefix(max(1, values.count / 3)).map(\.0)
    }
    return true
  }

  /// Networks that were not begun, as many as are found of so many.
  private mutating func draw(_ count: Int) throws -> [[Int]] {
    var drawn: [[Int]] = []
    while drawn.count < count {
      try Cancellation.check()
      var candidates: [[Int]] = []
      while candidates.count < filter?.candidates ?? 1, let network = try new(besides: candidates) {
        candidates.append(network)
      }
      guard let network = try best(candidates) else { break }
      begun.insert(network)
      drawn.append(network)
    }
    return drawn
  }

  /// A network that was not begun and is none of some others; nil if none is found.
  private mutating func new(besides others: [[Int]]) throws -> [Int]? {
    for _ in 0..<10_000 {
      let network = (0..<places).map { _ in random.below(kernels) }
      if !begun.contains(network), !others.contains(network), try isAllowed(network) { return network }
    }
    return nil
  }

  /// The network with another kernel in one place; nil if none of them is allowed.
  private mutating func changed(_ network: [Int]) throws -> [Int]? {
    guard kernels > 1 else { return nil }
    var found: [[Int]] = []
    for _ in 0..<100 where found.count < filter?.candidates ?? 1 {
      var child = network
      let place = random.below(places), other = random.below(kernels - 1)
      child[place] = other < network[place] ? other : other + 1
      if !found.contains(child), try isAllowed(child) { found.append(child) }
    }
    return try best(found)
  }

  /// The one that the filter scores highest, or the first; nil of none.
  private func best(_ networks: [[Int]]) throws -> [Int]? {
    guard let filter, networks.count > 1 else { return networks.first }
    let scores = try filter.scores(networks)
    return networks.indices.max { (scores[$0], $1) < (scores[$1], $0) }.map { networks[$0] }
  }

  private mutating func train(_ networks: [[Int]]) throws -> [Double] { try spend(networks, epochs) }

  /// Evaluates networks. What was trained to its end counts; before anything was, what is best so far.
  private mutating func spend(_ networks: [[Int]], _ epochs: Int) throws -> [Double] {
    let values = try evaluate(networks, epochs), isWhole = epochs == self.epochs
    for (network, value) in zip(networks, values) {
      spent += Double(epochs) / Double(self.epochs)
      begun.insert(network)
      if isWhole || known.isEmpty {
        // Whole trainings replace short ones.
        let isFirst = isWhole && known.isEmpty
        if isFirst || value > best?.value ?? -.infinity { best = (network, value) }
      }
      if isWhole { known[network] = value }
      if let best { steps.append(Step(spent: spent, best: best.network)) }
    }
    return values
  }
}
