import Compute
import Foundation
import Layers
import Tensors

/// How an output is cut into square tiles, each computed from one circular correlation of `size` points.
struct FourierTiles {
  /// The points of a transform in each direction: a size that FFTW transforms fast.
  let size: Int
  /// The pixels of a tile's output that do not wrap around.
  let valid: Int
  let rows: Int, columns: Int, images: Int
  /// An estimate of the time of a forward pass.
  let nanoseconds: Double

  /// All tiles of all images.
  var count: Int { images * rows * columns }

  /// The pixels that a window reaches over, in its larger direction.
  static func reach(_ geometry: ConvolutionGeometry) -> Int {
    max(
      geometry.dilation.height * (geometry.kernel.height - 1),
      geometry.dilation.width * (geometry.kernel.width - 1)) + 1
  }

  /// The sizes that FFTW was measured to transform fast, from a reach up to some times as large.
  static func sizes(from reach: Int) -> [Int] {
    [4, 8, 16, 20, 32, 36, 48, 64, 128, 256, 512, 1024, 2048].filter {
      reach <= $0 && $0 <= max(4 * reach, 64)
    }
  }

  /// The tiling of a stride-1 output that costs least: products per frequency against transforms.
  init(_ geometry: ConvolutionGeometry, output: FeatureShape) {
    let reach = Self.reach(geometry)
    func tiling(_ size: Int) -> (valid: Int, rows: Int, columns: Int) {
      let valid = size - reach + 1
      return (valid, (output.height + valid - 1) / valid, (output.width + valid - 1) / valid)
    }
    let speeds = CoreSpeeds.own
    func cost(_ size: Int) -> Double {
      let (_, rows, columns) = tiling(size)
      let tiles = rows * columns * output.batch, frequencies = Double(size * (size / 2 + 1))
      let pairs = frequencies * Double(geometry.channelsPerGroup * geometry.outputChannels)
      let products = 8 * pairs * Double((tiles + 3) / 4 * 4) / speeds.spectra
      // Spectra beyond the cache come from memory.
      let reading = 8 * pairs / (8 * pairs > 16e6 ? 20 : 60)
      let points = Double(size * size) * log2(Double(size))
      let transforms =
        5 * points * Double(tiles * (geometry.inputChannels + geometry.outputChannels))
        / speeds.fourierTransform
      return products + reading + transforms
    }
    // The smallest size fits into memory, or the layer would have been refused; others must not be much larger.
    let fitting = Self.sizes(from: reach).enumerated().filter { index, size in
      let spectra = [size, size / 2 + 1, 6, geometry.channelsPerGroup, geometry.outputChannels]
      return index == 0 || (try? Tensor.checkSize(spectra, "")) != nil
    }
    let best = fitting.map(\.element).min { cost($0) < cost($1) } ?? 2048
    size = best
    nanoseconds = cost(best)
    (valid, rows, columns) = tiling(best)
    images = output.batch
  }

  /// The spectra of all tiles: the tile at (r, c) starts at pixel origin + (r, c) · valid; zeros outside the
  /// image and beyond `extent` pixels of the tile.
  func transform(_ x: Tensor, _ plan: FourierPlan, extent: Int, origin: (Int, Int), threads: Int) -> Tensor {
    let shape = FeatureShape(x)
    var spectra = Tensor(uninitialized: [count, plan.spectrumCount])
    x.withPointer { x in
      spectra.withMutablePointer { spectra in
        parallel(count, threads: threads) { range in
          withScratch(plan.tileCount) { tile in
            for index in range {
              for block in plan.blocks {
                read(x, shape, index, block, extent, origin, into: tile)
                plan.transform(tile, block, spectra + index * plan.spectrumCount)
              }
            }
          }
        }
      }
    }
    return spectra
  }

  /// Copies a block of channels of one tile, with zeros where there is no image.
  private func read(
    _ x: UnsafePointer<Float>, _ shape: FeatureShape, _ index: Int, _ block: Range<Int>, _ extent: Int,
    _ origin: (Int, Int), into tile: UnsafeMutablePointer<Float>
  ) {
    let (image, top, left) = position(index), width = FourierPlan.width(block.count), first = left + origin.1
    let lower = min(max(0, -first), size), upper = max(lower, min(extent, shape.width - first))
    for row in 0..<size {
      let y = top + origin.0 + row
      let line = tile + row * size * width
      guard row < extent, y >= 0, y < shape.height, lower < upper else {
        line.update(repeating: 0, count: size * width)
        continue
      }
      line.update(repeating: 0, count: lower * width)
      var source =
        x + ((image * shape.height + y) * shape.width + first + lower) * shape.channels + block.lowerBound
      var target = line + lower * width
      for _ in lower..<upper {
        for channel in 0..<block.count { target[channel] = source[channel] }
        for channel in block.count..<width { target[channel] = 0 }
        source += shape.channels
        target += width
      }
      (line + upper * width).update(repeating: 0, count: (size - upper) * width)
    }
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
          let (image, top, left) = position(index)
          for block in plan.blocks {
            plan.invert(spectra + index * plan.spectrumCount, block, tile)
            for row in 0..<min(valid, shape.height - top) {
              let width = FourierPlan.width(block.count)
              var source = tile + row * size * width
              var target =
                y + ((image * shape.height + top + row) * shape.width + left) * shape.channels
                + block.lowerBound
              for _ in 0..<min(valid, shape.width - left) {
                for channel in 0..<block.count { target[channel] = scale * source[channel] }
                source += width
                target += shape.channels
              }
            }
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

extension FourierTiles {
  /// What a pass costs in the frequency domain: real multiply–accumulates of the spectra's products (four for each
  /// complex one) and radix-2 butterflies of the transforms; the weights' own spectra are cached.
  ///
  /// Backward, the input gradient has its own tiles, and the weight gradient is transformed back too.
  static func cost(_ geometry: ConvolutionGeometry, _ input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let unit = try geometry.with(stride: Pair(1))
    let tiles = FourierTiles(unit, output: try unit.outputShape(for: input)), forward = tiles.cost(geometry)
    guard pass == .backward else { return forward }
    let weights = Cost(otherOps: geometry.channelsPerGroup * geometry.outputChannels * tiles.butterflies)
    return forward + weights + FourierTiles(unit, output: input).cost(geometry)
  }

  /// Of products between all channels, with the transforms of both sides.
  private func cost(_ geometry: ConvolutionGeometry) -> Cost {
    let frequencies = size * (size / 2 + 1)
    return Cost(
      macs: 4 * count * frequencies * geometry.channelsPerGroup * geometry.outputChannels,
      otherOps: count * (geometry.inputChannels + geometry.outputChannels) * butterflies)
  }

  /// The radix-2 butterflies of a tile's transform, as a real one.
  private var butterflies: Int { Int(Double(size * size / 2) * log2(Double(size))) }
}
