/// An adder's distances: y = bias − Σ |x − w|.
enum DistanceStep: TileStep {
  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector { sum - (x - w).magnitude }
}

/// The sum in the form 2 · Σ max(x, w) − Σ x − Σ w of a distance: y = bias + Σ max(x, w), two instructions a term in
/// place of three. `indirectDistances` adds the rest.
enum MaximumStep: TileStep {
  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector {
    #if WORKBENCH_FMA
      sum.addingProduct(x.maximum(w), one)
    #else
      sum + x.maximum(w)
    #endif
  }
}
