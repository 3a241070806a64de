/// The outputs of one row of a tile: one or two vectors, as wide as a panel of packed weights.
protocol Lanes {
  /// The number of lanes.
  static var count: Int { get }

  /// The lanes at `pointer`.
  init(at pointer: UnsafePointer<Float>)
  /// Where the accumulators of a step start.
  init<Step: Accumulation>(startingFrom bias: Self, _ step: Step.Type)
  /// One term of `x` and each of the weights.
  mutating func add<Step: Accumulation>(_ x: Vector, _ weights: Self, one: Vector, _ step: Step.Type)
  /// The outputs that follow from the accumulators.
  func finished<Step: Accumulation>(_ bias: Self, _ step: Step.Type) -> Self
  /// Limits the outputs.
  mutating func limit(_ limits: Limits)
  /// Writes the lanes to `pointer`.
  func store(_ pointer: UnsafeMutablePointer<Float>)
  /// Writes the first `count` outputs to `pointer`.
  func store(_ pointer: UnsafeMutablePointer<Float>, _ count: Int)
}

/// One vector of outputs.
struct OneVector: Lanes {
  private var sum: Vector

  @inline(__always) static var count: Int { Vector.scalarCount }

  @inline(__always) init(at pointer: UnsafePointer<Float>) { sum = Vector(at: pointer) }

  @inline(__always) init<Step: Accumulation>(startingFrom bias: OneVector, _ step: Step.Type) {
    sum = Step.start(bias: bias.sum)
  }

  @inline(__always)
  mutating func add<Step: Accumulation>(_ x: Vector, _ weights: OneVector, one: Vector, _ step: Step.Type) {
    sum = Step.add(x, weights.sum, to: sum, one: one)
  }

  @inline(__always) func finished<Step: Accumulation>(_ bias: OneVector, _ step: Step.Type) -> OneVector {
    var result = self
    result.sum = Step.end(sum, bias: bias.sum)
    return result
  }

  @inline(__always) mutating func limit(_ limits: Limits) { sum = sum.within(limits) }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) { sum.store(pointer) }

  @inline(__always)
  func store(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) { Tail.store(sum, pointer, count) }
}

/// Two vectors of outputs.
struct TwoVectors: Lanes {
  private var first: OneVector, second: OneVector

  @inline(__always) static var count: Int { 2 &* Vector.scalarCount }

  @inline(__always) init(at pointer: UnsafePointer<Float>) {
    first = OneVector(at: pointer)
    second = OneVector(at: pointer + Vector.scalarCount)
  }

  @inline(__always) init<Step: Accumulation>(startingFrom bias: TwoVectors, _ step: Step.Type) {
    first = OneVector(startingFrom: bias.first, step)
    second = OneVector(startingFrom: bias.second, step)
  }

  @inline(__always)
  mutating func add<Step: Accumulation>(_ x: Vector, _ weights: TwoVectors, one: Vector, _ step: Step.Type) {
    first.add(x, weights.first, one: one, step)
    second.add(x, weights.second, one: one, step)
  }

  @inline(__always) func finished<Step: Accumulation>(_ bias: TwoVectors, _ step: Step.Type) -> TwoVectors {
    var result = self
    result.first = first.finished(bias.first, step)
    result.second = second.finished(bias.second, step)
    return result
  }

  @inline(__always) mutating func limit(_ limits: Limits) {
    first.limit(limits)
    second.limit(limits)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    first.store(pointer)
    second.store(pointer + Vector.scalarCount)
  }

  @inline(__always)
  func store(_ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    first.store(pointer, count)
    second.store(pointer + Vector.scalarCount, count &- Vector.scalarCount)
  }
}
