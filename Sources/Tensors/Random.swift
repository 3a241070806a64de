import Foundation

/// A seeded source of random numbers that can be split: the same seed gives the same numbers everywhere.
///
/// SplitMix64 (Steele, Lea and Flood, 2014, "Fast splittable pseudorandom number generators").
public struct Random: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A source that depends on nothing but `seed`.
  public init(seed: UInt64) { state = Random.mix(seed &+ Random.gamma) }

  /// A source that continues from a saved state.
  public init(position: UInt64) { state = position }

  /// The state, which determines all further numbers.
  public var position: UInt64 { state }

  /// An independent source that depends on this one's seed and position, and on `label`.
  public func split(_ label: String) -> Random {
    // The FNV-1a hash with 64 bits, which all seeds' numbers depend on.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Random(seed: state ^ Random.mix(hash))
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= Random.gamma
    return Random.mix(state)
  }

  /// A number drawn uniformly from [0, 1).
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number drawn from the standard normal distribution (Box and Muller, 1958).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A whole number drawn uniformly from 0 ..< `bound`, which must be positive.
  public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  private static let gamma: UInt64 = 0x9e37_79b9_7f4a_7c15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension Random {
  /// Whether tensors of random numbers are left as they lie in memory: for networks that are only counted.
  @TaskLocal package static var leavesTensorsUnset = false
}

extension Tensor {
  /// A tensor of normal numbers with mean 0.
  ///
  /// - Parameter deviation: their standard deviation.
  public init(normal shape: [Int], deviation: Double = 1, using random: inout Random) {
    self.init(uninitialized: shape)
    if Random.leavesTensorsUnset { return }
    let count = count
    withMutablePointer { for index in 0..<count { $0[index] = Float(random.normal() * deviation) } }
  }

  /// A tensor of numbers drawn uniformly from `range`.
  public init(uniform shape: [Int], in range: Range<Double>, using random: inout Random) {
    self.init(uninitialized: shape)
    if Random.leavesTensorsUnset { return }
    let count = count
    withMutablePointer {
      for index in 0..<count {
        $0[index] = Float(range.lowerBound + random.uniform() * (range.upperBound - range.lowerBound))
      }
    }
  }
}
