/// The sum in Σ |x − w| = 2 · Σ max(x, w) − Σ x − Σ w: y = bias + Σ max(x, w), two instructions a term instead of
/// three. `indirectDistances` does the rest.
enum MaximumStep: Accumulation {
  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector {
    #if WORKBENCH_FMA
      sum.addingProduct(x.maximum(w), one)
    #else
      sum + x.maximum(w)
    #endif
  }
}
