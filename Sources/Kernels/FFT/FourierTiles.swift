import Compute
import Tensors

/// How an output is cut into square tiles, each computed from one circular correlation of `size` points.
struct FourierTiles {
  /// The points of a transform in each direction: a power of two.
  let size: Int
  /// The pixels of a tile's output that do not wrap around.
  let valid: Int
  let rows: Int, columns: Int, images: Int

  /// All tiles of all images.
  var count: Int { images * rows * columns }

  /// The pixels that a window reaches over, in its larger direction.
  static func reach(_ geometry: ConvolutionGeometry) -> Int {
    max(
      geometry.dilation.height * (geometry.kernel.height - 1),
      geometry.dilation.width * (geometry.kernel.width - 1)) + 1
  }

  /// The tiling of a stride-1 output that costs least: products per frequency against transforms.
  init(_ geometry: ConvolutionGeometry, output: FeatureShape) {
    let reach = Self.reach(geometry)
    func tiling(_ size: Int) -> (valid: Int, rows: Int, columns: Int) {
      let valid = size - reach + 1
      return (valid, (output.height + valid - 1) / valid, (output.width + valid - 1) / valid)
    }
    func cost(_ size: Int) -> Double {
      let (_, rows, columns) = tiling(size)
      let points = Double(size * (size / 2 + 1)),
        channels = Double(geometry.inputChannels + geometry.outputChannels)
      let products = 8 * points * Double(geometry.channelsPerGroup * geometry.outputChannels)
      // A butterfly is ten operations, done at about a fifth of the GEMM's speed.
      let transforms = 50 * Double(size * size) / 2 * Double(size.trailingZeroBitCount) * channels
      // Reading the packed spectra costs about as much as 16 tiles' products.
      return Double(rows * columns * output.batch) * (products + transforms) + 16 * products
    }
    var size = 2
    while size < reach { size *= 2 }
    var best = size
    for candidate in [2 * size, 4 * size, 8 * size] where candidate <= 2048 && cost(candidate) < cost(best) {
      best = candidate
    }
    self.size = best
    (valid, rows, columns) = tiling(best)
    images = output.batch
  }

  /// The spectra of all tiles: the tile at (r, c) starts at pixel origin + (r, c) · valid; zeros outside the
  /// image and beyond `extent` pixels of the tile.
  func transform(_ x: Tensor, _ plan: FourierPlan, extent: Int, origin: (Int, Int), threads: Int) -> Tensor {
    let shape = FeatureShape(x), channels = shape.channels
    var spectra = Tensor(uninitialized: [count, plan.spectrumCount])
    x.withPointer { x in
      spectra.withMutablePointer { spectra in
        parallel(count, threads: threads) { range in
          withScratch(plan.tileCount) { tile in
            for index in range {
              let (image, top, left) = position(index)
              for row in 0..<size {
                let y = top + origin.0 + row
                let line = tile + row * size * channels
                let first = left + origin.1
                let lower = min(max(0, -first), size), upper = max(lower, min(extent, shape.width - first))
                guard row < extent, y >= 0, y < shape.height, lower < upper else {
                  line.update(repeating: 0, count: size * channels)
                  continue
                }
                line.update(repeating: 0, count: lower * channels)
                (line + lower * channels).update(
                  from: x + ((image * shape.height + y) * shape.width + first + lower) * channels,
                  count: (upper - lower) * channels)
                (line + upper * channels).update(repeating: 0, count: (size - upper) * channels)
              }
              plan.transform(tile, spectra + index * plan.spectrumCount)
            }
          }
        }
      }
    }
    return spectra
  }

  /// Writes the valid part of all tiles from their spectra, which are overwritten.
  func invert(
    _ spectra: UnsafeMutablePointer<Float>, _ plan: FourierPlan, into y: UnsafeMutablePointer<Float>,
    shape: FeatureShape, threads: Int
  ) {
    let scale = 1 / Float(size * size)
    parallel(count, threads: threads) { range in
      withScratch(plan.tileCount) { tile in
        for index in range {
          plan.invert(spectra + index * plan.spectrumCount, tile)
          let (image, top, left) = position(index)
          for row in 0..<min(valid, shape.height - top) {
            Elementwise.scale(
              scale, tile + row * size * shape.channels,
              y + ((image * shape.height + top + row) * shape.width + left) * shape.channels,
              count: min(valid, shape.width - left) * shape.channels, threads: 1)
          }
        }
      }
    }
  }

  private func position(_ index: Int) -> (image: Int, top: Int, left: Int) {
    let (line, column) = index.quotientAndRemainder(dividingBy: columns)
    let (image, row) = line.quotientAndRemainder(dividingBy: rows)
    return (image, row * valid, column * valid)
  }
}
