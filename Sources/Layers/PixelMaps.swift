import Compute
import Tensors

/// The pixel map of a layer that sums pixels with fixed weights; made again only for images of another size.
package final class PixelMaps {
  private var known: (height: Int, width: Int, map: PixelMap)?

  /// No map yet.
  package init() {}

  /// The map for an input, made by `make` if it is new.
  package subscript(_ input: FeatureShape, _ make: (FeatureShape) -> PixelMap) -> PixelMap {
    if let known, known.height == input.height, known.width == input.width { return known.map }
    let map = make(input)
    known = (input.height, input.width, map)
    return map
  }
}

extension PixelMap {
  /// The output for images, NHWC.
  package func applied(to x: Tensor, _ output: FeatureShape, _ context: Context) -> Tensor {
    var y = Tensor(uninitialized: output.extents)
    x.withPointer { x in
      y.withMutablePointer {
        apply(x, $0, images: output.batch, channels: output.channels, threads: context.threads)
      }
    }
    return y
  }

  /// The gradient to the input.
  package func transposed(_ g: Tensor, _ input: FeatureShape, _ context: Context) -> Tensor {
    var dx = Tensor(uninitialized: input.extents)
    g.withPointer { g in
      dx.withMutablePointer {
        applyTransposed(g, $0, images: input.batch, channels: input.channels, threads: context.threads)
      }
    }
    return dx
  }
}
