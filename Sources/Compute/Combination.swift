/// One step of a microkernel's accumulation.
///
/// `unit` is 1, unknown to the compiler: an addition written as a multiply–add by it runs on the multipliers, which
/// would be idle otherwise, beside those on the adders.
protocol CombineStep {
  static func step(_ sum: Vector, _ x: Vector, _ w: Vector, _ unit: Vector) -> Vector
}

enum MultiplyStep: CombineStep {
  @inline(__always) static func step(_ sum: Vector, _ x: Vector, _ w: Vector, _ unit: Vector) -> Vector {
    sum.fused(x, w)
  }
}

enum AdderStep: CombineStep {
  @inline(__always) static func step(_ sum: Vector, _ x: Vector, _ w: Vector, _ unit: Vector) -> Vector {
    sum - (x - w).magnitude
  }
}

/// The step of the form 2·Σ max(x, w) − Σ x − Σ w of a distance: two instructions in place of three.
enum MaximumStep: CombineStep {
  @inline(__always) static func step(_ sum: Vector, _ x: Vector, _ w: Vector, _ unit: Vector) -> Vector {
    #if WORKBENCH_FMA
      sum.addingProduct(x.maximum(w), unit)
    #else
      sum + x.maximum(w)
    #endif
  }
}

/// The step of a tropical product: the largest x + w.
enum LargestSumStep: CombineStep {
  @inline(__always) static func step(_ sum: Vector, _ x: Vector, _ w: Vector, _ unit: Vector) -> Vector {
    sum.maximum(x + w)
  }
}

/// What a microkernel accumulates.
public enum TileStep: Sendable, CaseIterable {
  /// The sum of x · w.
  case product
  /// The sum of −|x − w|.
  case distance
  /// The sum of max(x, w).
  case maximum
  /// The maximum of x + w; no bias.
  case largestSum

  /// What an accumulator starts from, where there is no bias.
  var start: Float { self == .largestSum ? -.infinity : 0 }
}

/// The accumulators of one output pixel in a tile: one or two vectors of output channels.
protocol TileRow {
  associatedtype Weights
  static var width: Int { get }
  /// Whether the next weights are worth fetching ahead: those of few outputs are in the cache, and the registers that
  /// it takes are better used otherwise.
  static var fetchesAhead: Bool { get }
  static func load(_ pointer: UnsafePointer<Float>) -> Weights
  init(_ start: Weights)
  mutating func add<Step: CombineStep>(_ x: Float, _ weights: Weights, _ unit: Vector, _ step: Step.Type)
  func store(_ pointer: UnsafeMutablePointer<Float>)
  func store(_ pointer: UnsafeMutablePointer<Float>, _ finish: StoreOptions)
}

struct PairRow: TileRow {
  var first, second: Vector
  @inline(__always) static var width: Int { 2 &* Vector.scalarCount }
  @inline(__always) static var fetchesAhead: Bool { true }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> (Vector, Vector) {
    (Vector(at: pointer), Vector(at: pointer + Vector.scalarCount))
  }
  @inline(__always) init(_ start: (Vector, Vector)) { (first, second) = start }
  @inline(__always) mutating func add<Step: CombineStep>(
    _ x: Float, _ weights: (Vector, Vector), _ unit: Vector, _ step: Step.Type
  ) {
    let x = Vector(repeating: x)
    first = Step.step(first, x, weights.0, unit)
    second = Step.step(second, x, weights.1, unit)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    first.store(pointer)
    second.store(pointer + Vector.scalarCount)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ finish: StoreOptions) {
    finish.finished(first, pointer).store(pointer)
    finish.finished(second, pointer + Vector.scalarCount).store(pointer + Vector.scalarCount)
  }
}

struct SingleRow: TileRow {
  var sum: Vector
  @inline(__always) static var width: Int { Vector.scalarCount }
  @inline(__always) static var fetchesAhead: Bool { false }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Vector { Vector(at: pointer) }
  @inline(__always) init(_ start: Vector) { sum = start }
  @inline(__always) mutating func add<Step: CombineStep>(
    _ x: Float, _ weights: Vector, _ unit: Vector, _ step: Step.Type
  ) {
    sum = Step.step(sum, Vector(repeating: x), weights, unit)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) { sum.store(pointer) }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ finish: StoreOptions) {
    finish.finished(sum, pointer).store(pointer)
  }
}
