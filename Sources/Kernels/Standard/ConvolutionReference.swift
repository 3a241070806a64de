import Tensors

/// The plain definition of convolution (cross-correlation), in double precision.
enum ConvolutionReference {
  /// y[p, o] = bias[o] + Σ over taps t, channels c of x[p·stride + t·dilation − padding, c] · w[t, c, o]
  static func forward(
    _ x: Tensor64, _ w: Tensor64, _ bias: Tensor64?, _ geometry: ConvolutionGeometry
  ) -> Tensor64 {
    var y = geometry.referenceStart(x.shape, bias)
    let outputShape = y.shape
    y.values.withUnsafeMutableBufferPointer { y in
      geometry.forEachTerm(x.shape, outputShape) { term in
        if let position = term.x { y[term.y] += x.values[position] * w.values[term.w] }
      }
    }
    return y
  }

  /// dx ← w · g and dw ← x · g, over the same terms.
  static func backward(
    _ x: Tensor64, _ w: Tensor64, _ g: Tensor64, _ geometry: ConvolutionGeometry
  ) -> (x: Tensor64, w: Tensor64) {
    var dx = Tensor64(repeating: 0, x.shape), dw = Tensor64(repeating: 0, w.shape)
    dx.values.withUnsafeMutableBufferPointer { dx in
      dw.values.withUnsafeMutableBufferPointer { dw in
        geometry.forEachTerm(x.shape, g.shape) { term in
          if let position = term.x {
            dx[position] += w.values[term.w] * g.values[term.y]
            dw[term.w] += x.values[position] * g.values[term.y]
          }
        }
      }
    }
    return (dx, dw)
  }
}
