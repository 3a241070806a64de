/// Calls `body` with pointers into two tensors.
public func withPointers<Result>(
  _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Result
) -> Result {
  a.withPointer { a in b.withPointer { b in body(a, b) } }
}

/// Calls `body` with pointers into three tensors.
public func withPointers(
  _ a: Tensor, _ b: Tensor, _ c: Tensor,
  _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) -> Void
) {
  a.withPointer { a in b.withPointer { b in c.withPointer { c in body(a, b, c) } } }
}

/// Calls `body` with a pointer into a tensor, or with nil.
public func withOptionalPointer(_ tensor: Tensor?, _ body: (UnsafePointer<Float>?) -> Void) {
  guard let tensor else { return body(nil) }
  tensor.withPointer(body)
}
