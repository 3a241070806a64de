import Foundation
import Tensors

/// The fewest elements for one thread; with fewer, waking a thread costs more than it saves.
private let elementwiseGrain = 16_384

/// Runs `body` over whole vectors, then over single elements, of `0 ..< count`.
@inline(__always)
func forEachVector(
  _ count: Int, threads: Int, vectors: (Int) -> Void, elements: (Int) -> Void
) {
  parallel(count, threads: threads, grain: elementwiseGrain) { range in
    let lanes = Vector.scalarCount
    var index = range.lowerBound
    while index &+ lanes <= range.upperBound {
      vectors(index)
      index = index &+ lanes
    }
    while index < range.upperBound {
      elements(index)
      index = index &+ 1
    }
  }
}

/// Elementwise functions over contiguous floats.
public enum Elementwise {
  /// y = min(max(x, 0), most); NaN stays.
  public static func relu(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, most: Float = .infinity, count: Int,
    threads: Int
  ) {
    forEachVector(count, threads: threads) {
      Vector(at: x + $0).maximum(.zero).minimum(Vector(repeating: most)).store(y + $0)
    } elements: {
      y[$0] = x[$0] < 0 ? 0 : x[$0] > most ? most : x[$0]
    }
  }

  /// dx = g where y > 0, else 0
  public static func reluGradient(
    _ y: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, count: Int,
    threads: Int
  ) {
    forEachVector(count, threads: threads) {
      Vector.zero.replacing(with: Vector(at: g + $0), where: Vector(at: y + $0) .> Vector.zero).store(dx + $0)
    } elements: {
      dx[$0] = y[$0] > 0 ? g[$0] : 0
    }
  }

  /// dx = g where 0 < x < 6, else 0
  public static func relu6Gradient(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, count: Int,
    threads: Int
  ) {
    let six = Vector(repeating: 6)
    forEachVector(count, threads: threads) {
      let v = Vector(at: x + $0)
      Vector.zero.replacing(with: Vector(at: g + $0), where: (v .> Vector.zero) .& (v .< six)).store(dx + $0)
    } elements: {
      dx[$0] = x[$0] > 0 && x[$0] < 6 ? g[$0] : 0
    }
  }

  /// y = scale / (1 + exp(−x))
  public static func sigmoid(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, scale: Float = 1, count: Int, threads: Int
  ) {
    parallel(count, threads: threads, grain: 2_048) { range in
      for index in range { y[index] = scale / (1 + exp(-x[index])) }
    }
  }

  /// dx = g · y · (1 − y / scale): the gradient through scale · sigmoid
  public static func scaledSigmoidGradient(
    _ y: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, scale: Float,
    count: Int, threads: Int
  ) {
    parallel(count, threads: threads, grain: elementwiseGrain) { range in
      for index in range { dx[index] = g[index] * y[index] * (1 - y[index] / scale) }
    }
  }

  /// dx = y · (1 − y) · g
  public static func sigmoidGradient(
    _ y: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, count: Int,
    threads: Int
  ) {
    let one = Vector(repeating: 1)
    forEachVector(count, threads: threads) {
      let v = Vector(at: y + $0)
      (v * (one - v) * Vector(at: g + $0)).store(dx + $0)
    } elements: {
      dx[$0] = y[$0] * (1 - y[$0]) * g[$0]
    }
  }

  /// y = a · b
  public static func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int,
    threads: Int
  ) {
    forEachVector(count, threads: threads) {
      (Vector(at: a + $0) * Vector(at: b + $0)).store(y + $0)
    } elements: {
      y[$0] = a[$0] * b[$0]
    }
  }

  /// y = a + b
  public static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int,
    threads: Int
  ) {
    forEachVector(count, threads: threads) {
      (Vector(at: a + $0) + Vector(at: b + $0)).store(y + $0)
    } elements: {
      y[$0] = a[$0] + b[$0]
    }
  }

  /// y = y + residual, then min(max(y, 0), most), each where wanted; NaN stays.
  public static func applyEpilogue(
    _ y: UnsafeMutablePointer<Float>, residual: UnsafePointer<Float>?, relu: Bool, most: Float = .infinity,
    count: Int, threads: Int
  ) {
    let least: Float = relu ? 0 : -.infinity, most = relu ? most : .infinity
    guard let residual else {
      if relu { Self.relu(y, y, most: most, count: count, threads: threads) }
      return
    }
    forEachVector(count, threads: threads) {
      let sum = Vector(at: y + $0) + Vector(at: residual + $0)
      sum.maximum(Vector(repeating: least)).minimum(Vector(repeating: most)).store(y + $0)
    } elements: {
      let sum = y[$0] + residual[$0]
      y[$0] = sum < least ? least : sum > most ? most : sum
    }
  }

  /// y = y + factor · x
  public static func addScaled(
    _ factor: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, threads: Int
  ) {
    forEachVector(count, threads: threads) {
      Vector(at: y + $0).fused(Vector(at: x + $0), Vector(repeating: factor)).store(y + $0)
    } elements: {
      y[$0] += factor * x[$0]
    }
  }

  /// y = factor · x
  public static func scale(
    _ factor: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, threads: Int
  ) {
    forEachVector(count, threads: threads) {
      (Vector(at: x + $0) * factor).store(y + $0)
    } elements: {
      y[$0] = factor * x[$0]
    }
  }
}

extension Tensor {
  /// Adds another tensor of the same shape.
  public mutating func add(_ other: Tensor, threads: Int) {
    precondition(shape == other.shape, "cannot add \(shape) and \(other.shape)")
    let count = count
    other.withPointer { x in
      withMutablePointer { Elementwise.add($0, x, $0, count: count, threads: threads) }
    }
  }

  /// Makes it max(self + other, 0).
  public mutating func addAndRectify(_ other: Tensor, threads: Int) {
    precondition(shape == other.shape, "cannot add \(shape) and \(other.shape)")
    let count = count
    other.withPointer { x in
      withMutablePointer {
        Elementwise.applyEpilogue($0, residual: x, relu: true, count: count, threads: threads)
      }
    }
  }

  /// The elementwise product; both shapes must be equal.
  public func times(_ other: Tensor, threads: Int) -> Tensor {
    precondition(shape == other.shape, "cannot multiply \(shape) and \(other.shape)")
    var result = Tensor(uninitialized: shape)
    withPointers(self, other) { a, b in
      result.withMutablePointer { Elementwise.multiply(a, b, $0, count: count, threads: threads) }
    }
    return result
  }

  /// The elementwise sum; both shapes must be equal.
  public static func sum(_ a: Tensor, _ b: Tensor, threads: Int) -> Tensor {
    precondition(a.shape == b.shape, "cannot add \(a.shape) and \(b.shape)")
    var result = Tensor(uninitialized: a.shape)
    a.withPointer { a in
      b.withPointer { b in
        let count = result.count
        result.withMutablePointer { Elementwise.add(a, b, $0, count: count, threads: threads) }
      }
    }
    return result
  }
}
