import Testing

@testable import Tensors

@Suite struct RandomTests {
  @Test func sameSeedGivesTheSameBits() {
    var first = Random(seed: 7), second = Random(seed: 7), other = Random(seed: 8)
    let values = (0..<100).map { _ in first.next() }
    #expect(values == (0..<100).map { _ in second.next() })
    #expect(values != (0..<100).map { _ in other.next() })
    let normal = { (seed: UInt64) in
      var random = Random(seed: seed)
      return Tensor(normal: [3, 5], deviation: 2, using: &random)
    }
    #expect(normal(7) == normal(7))
    #expect(normal(7) != normal(8))
  }

  /// SplitMix64 as published, whose first output for the seed 0 is e220a8397b1dcdaf.
  @Test func isSplitMix64() {
    var state: UInt64 = 0
    func reference() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    let first = reference()
    #expect(first == 0xe220_a839_7b1d_cdaf)
    // A source's state is the first output of SplitMix64 for its seed.
    state = first
    var random = Random(seed: 0)
    for _ in 0..<10 { #expect(random.next() == reference()) }
  }

  @Test func splittingDependsOnSeedPositionAndLabelAndChangesNothing() {
    let random = Random(seed: 1)
    func start(_ source: Random) -> UInt64 {
      var source = source
      return source.next()
    }
    #expect(start(random.split("a")) == start(random.split("a")))
    #expect(start(random.split("a")) != start(random.split("b")))
    #expect(start(random.split("a")) != start(Random(seed: 2).split("a")))
    #expect(start(random.split("a")) != start(random))
    var advanced = random
    _ = advanced.next()
    #expect(start(random.split("a")) != start(advanced.split("a")))

    var plain = random, splitting = random
    for _ in 0..<10 {
      _ = splitting.split("a")
      #expect(plain.next() == splitting.next())
    }
  }

  /// The correlation of n independent pairs has a standard deviation of 1/√n; 5 of them are allowed.
  @Test func splitSourcesAreUncorrelated() {
    let random = Random(seed: 3), count = 100_000
    var first = random.split("first"), second = random.split("second"), parent = random
    var siblings = 0.0, generations = 0.0
    for _ in 0..<count {
      let a = first.normal()
      siblings += a * second.normal()
      generations += a * parent.normal()
    }
    let tolerance = 5 / Double(count).squareRoot()
    #expect(abs(siblings / Double(count)) < tolerance)
    #expect(abs(generations / Double(count)) < tolerance)
  }

  /// Of n uniform numbers the mean is 1/2 ± √(1/12n), the mean square 1/3 ± √(4/45n); 5 deviations are
  /// allowed.
  @Test func uniformNumbersHaveTheirMoments() {
    var random = Random(seed: 4)
    let count = 200_000
    let values = (0..<count).map { _ in random.uniform() }
    #expect(values.allSatisfy { (0..<1).contains($0) })
    let mean = values.reduce(0, +) / Double(count)
    let square = values.reduce(0) { $0 + $1 * $1 } / Double(count)
    #expect(abs(mean - 1.0 / 2) < 5 * (1 / (12 * Double(count))).squareRoot())
    #expect(abs(square - 1.0 / 3) < 5 * (4 / (45 * Double(count))).squareRoot())
  }

  /// Of n standard normal numbers the mean power k has the variance (E x^2k − (E x^k)²)/n: 1, 2, 15 and 96
  /// over n for k of 1 to 4; 5 deviations are allowed.
  @Test func normalNumbersHaveTheirMoments() {
    var random = Random(seed: 5)
    let count = 200_000
    var sums = [0.0, 0, 0, 0]
    for _ in 0..<count {
      let value = random.normal()
      var power = 1.0
      for k in 0..<4 {
        power *= value
        sums[k] += power
      }
    }
    for (sum, (expected, variance)) in zip(sums, [(0.0, 1.0), (1, 2), (0, 15), (3, 96)]) {
      #expect(abs(sum / Double(count) - expected) < 5 * (variance / Double(count)).squareRoot())
    }
  }

  /// Each of b outcomes of n draws has the deviation √(n·(1/b)·(1 − 1/b)); 5 of them are allowed.
  @Test func wholeNumbersAreEven() {
    var random = Random(seed: 6)
    let count = 70_000, bound = 7
    var counts = Array(repeating: 0, count: bound)
    for _ in 0..<count { counts[random.below(bound)] += 1 }
    let share = 1 / Double(bound)
    let tolerance = 5 * (Double(count) * share * (1 - share)).squareRoot()
    for outcome in counts { #expect(abs(Double(outcome) - Double(count) * share) < tolerance) }
    #expect(random.below(1) == 0)
  }

  @Test func tensorsKeepToTheirRangeAndDeviation() {
    var random = Random(seed: 9)
    let uniform = Tensor(uniform: [100, 100], in: -2..<3, using: &random).values
    #expect(uniform.allSatisfy { (-2...3).contains($0) })  // Rounding to Float may reach the upper bound.
    #expect(uniform.contains { $0 < -1.9 } && uniform.contains { $0 > 2.9 })
    let normal = Tensor(normal: [100, 100], deviation: 3, using: &random).values
    let square = normal.reduce(0.0) { $0 + Double($1) * Double($1) } / 10_000
    #expect(abs(square - 9) < 5 * 9 * (2.0 / 10_000).squareRoot())
  }
}
