import Tensors

/// The plain definition of AdderNet's operator and of its gradients, in double precision.
enum AdderReference {
  /// y[p, o] = bias[o] − Σ over taps t, channels c of |x[…, c] − w[t, c, o]|, where x is 0 in the padding
  static func forward(
    _ x: Tensor64, _ w: Tensor64, _ bias: Tensor64?, _ geometry: ConvolutionGeometry
  ) -> Tensor64 {
    var y = geometry.referenceStart(x.shape, bias)
    let outputShape = y.shape
    y.values.withUnsafeMutableBufferPointer { y in
      geometry.forEachTerm(x.shape, outputShape) { term in
        y[term.y] -= abs((term.x.map { x.values[$0] } ?? 0) - w.values[term.w])
      }
    }
    return y
  }

  /// dw ← (x − w) · g and dx ← clamp(w − x, −1, 1) · g: not the derivatives, but what trains well.
  static func backward(
    _ x: Tensor64, _ w: Tensor64, _ g: Tensor64, _ geometry: ConvolutionGeometry
  ) -> (x: Tensor64, w: Tensor64) {
    var dx = Tensor64(repeating: 0, x.shape), dw = Tensor64(repeating: 0, w.shape)
    dx.values.withUnsafeMutableBufferPointer { dx in
      dw.values.withUnsafeMutableBufferPointer { dw in
        geometry.forEachTerm(x.shape, g.shape) { term in
          let difference = (term.x.map { x.values[$0] } ?? 0) - w.values[term.w]
          dw[term.w] += difference * g.values[term.y]
          if let position = term.x { dx[position] += min(max(-difference, -1), 1) * g.values[term.y] }
        }
      }
    }
    return (dx, dw)
  }
}
