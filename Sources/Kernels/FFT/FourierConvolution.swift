import Compute
import Layers
import Tensors

/// Convolution in the frequency domain by overlap–save, with the channels mixed by the engine's GEMM.
///
/// A spectrum row holds real and imaginary parts side by side, so one complex product per channel pair is a real
/// matrix product of rows of 2 · C by 2 · O floats: the same microkernels serve. Everything is computed at
/// stride 1 and subsampled.
final class FourierConvolution: ConvolutionAlgorithm {
  let name = "fft"
  private let geometry: ConvolutionGeometry
  private let unit: ConvolutionGeometry
  /// The spectra of a weight, as packed matrices for each frequency.
  private let forwardSpectra = FilterCache<[PackedWeights]>(), backwardSpectra = FilterCache<[PackedWeights]>()

  init(_ geometry: ConvolutionGeometry) throws {
    self.geometry = geometry
    unit = try geometry.with(stride: Pair(1))
    let reach = FourierTiles.reach(geometry)
    guard reach <= 1024 else {
      throw WorkbenchError(
        "The algorithm fft takes windows that reach over at most 1024 pixels, not \(reach); use direct.")
    }
    // A tile is at least as large as the reach; its spectra, real matrices for each frequency, are the largest
    // arrays, and training holds two such sets.
    var size = 2
    while size < reach { size *= 2 }
    try Tensor.checkSize(
      [size, size / 2 + 1, 8, geometry.channelsPerGroup, geometry.outputChannels],
      "The weights' spectra for fft")
  }

  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let full = unit.checkedOutput(FeatureShape(x))
    let tiles = FourierTiles(unit, output: full)
    let packed = forwardSpectra.value(filter, variant: tiles.size) {
      spectra($0, size: tiles.size, backward: false)
    }
    let dense = convolve(
      x, packed, channels: geometry.inputChannels, outputs: geometry.outputChannels, shape: full,
      tiles: tiles,
      origin: (-geometry.padding.top, -geometry.padding.left), threads: context.threads)
    let y = subsampled(dense, geometry.checkedOutput(FeatureShape(x)))
    return finish.applied(to: y, threads: context.threads)
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, adding summand: Tensor?, _ context: Context
  ) -> Tensor {
    let input = FeatureShape(x)
    let dense = upsampled(g, unit.checkedOutput(input))
    let tiles = FourierTiles(unit, output: input)
    let packed = backwardSpectra.value(Filter(weight), variant: tiles.size) {
      spectra($0, size: tiles.size, backward: true)
    }
    // dx is the correlation of g with the turned window: position q reads g from q + padding − reach + 1 on.
    let dx = convolve(
      dense, packed, channels: geometry.outputChannels, outputs: geometry.inputChannels, shape: input,
      tiles: tiles,
      origin: (
        geometry.padding.top - geometry.dilation.height * (geometry.kernel.height - 1),
        geometry.padding.left - geometry.dilation.width * (geometry.kernel.width - 1)
      ), threads: context.threads)
    return Finish(residual: summand).applied(to: dx, threads: context.threads)
  }

  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor {
    let full = unit.checkedOutput(FeatureShape(x))
    let tiles = FourierTiles(unit, output: full)
    let dense = upsampled(g, full)
    let inputs = geometry.inputChannels, outputs = geometry.outputChannels, groups = geometry.groups
    let xPlan = FourierPlan(size: tiles.size, channels: inputs)
    let gPlan = FourierPlan(size: tiles.size, channels: outputs)
    let xSpectra = tiles.transform(
      x, xPlan, extent: tiles.size, origin: (-geometry.padding.top, -geometry.padding.left), threads: context.threads)
    let gSpectra = tiles.transform(dense, gPlan, extent: tiles.valid, origin: (0, 0), threads: context.threads)
    // For each frequency Σ over tiles of x · conj g, as a real matrix of (re, im) × (re, im) products.
    let inGroup = inputs / groups, outGroup = outputs / groups
    let wPlan = FourierPlan(size: tiles.size, channels: inGroup * outputs)
    var spectrum = Tensor(uninitialized: [wPlan.spectrumCount])
    withPointers(xSpectra, gSpectra) { xs, gs in
      spectrum.withMutablePointer { spectrum in
        parallel(xPlan.frequencies, threads: context.threads) { frequencies in
          withScratch(4 * inGroup * outputs) { product in
            withScratch(tiles.count * 2 * outputs) { rows in
              for frequency in frequencies {
                for tile in 0..<tiles.count {
                  (rows + tile * 2 * outputs).update(
                    from: gs + tile * gPlan.spectrumCount + frequency * 2 * outputs, count: 2 * outputs)
                }
                indirectWeightGradient(
                  rows: tiles.count, groups: groups, taps: 1, channels: 2 * inGroup, outputs: 2 * outGroup,
                  gradient: rows, result: product, threads: 1
                ) { _, range, pointers, _ in
                  for tile in range {
                    pointers[tile - range.lowerBound] =
                      xs + tile * xPlan.spectrumCount + frequency * 2 * inputs
                  }
                }
                let target = spectrum + frequency * 2 * inGroup * outputs
                for channel in 0..<inGroup {
                  let real = product + 2 * channel * 2 * outputs, imaginary = real + 2 * outputs
                  for output in 0..<outputs {
                    let position = 2 * (channel * outputs + output)
                    target[position] = real[2 * output] + imaginary[2 * output + 1]
                    target[position + 1] = imaginary[2 * output] - real[2 * output + 1]
                  }
                }
              }
            }
          }
        }
      }
    }
    // Its inverse holds the correlation at every lag; the taps' lags are the gradient.
    var dw = Tensor(uninitialized: weight.value.shape)
    var lags = Tensor(uninitialized: [wPlan.tileCount])
    let scale = 1 / Float(tiles.size * tiles.size), row = inGroup * outputs
    lags.withMutablePointer { lags in
      spectrum.withMutablePointer { wPlan.invert($0, lags) }
      dw.withMutablePointer { dw in
        for tap in 0..<geometry.taps {
          let y = tap / geometry.kernel.width * geometry.dilation.height
          let x = tap % geometry.kernel.width * geometry.dilation.width
          let source = lags + (y * tiles.size + x) * row
          Elementwise.scale(scale, source, dw + tap * row, count: row, threads: 1)
        }
      }
    }
    return dw
  }

  /// What the frequency domain costs for an output: real multiply–accumulates of the spectra's products (four
  /// for each complex one) and radix-2 butterflies of the tiles' transforms; spectra of the weights are cached.
  func cost(_ input: FeatureShape) -> Cost {
    let tiles = FourierTiles(unit, output: unit.checkedOutput(input))
    let frequencies = tiles.size * (tiles.size / 2 + 1)
    let levels = 2 * (Int.bitWidth - 1 - tiles.size.leadingZeroBitCount)
    let butterflies = tiles.size * tiles.size / 4 * levels
    return Cost(
      macs: 4 * tiles.count * frequencies * geometry.channelsPerGroup * geometry.outputChannels,
      otherOps: tiles.count * (geometry.inputChannels + geometry.outputChannels) * butterflies)
  }

  /// Tiles of x → spectra → products with `packed` → tiles of the output.
  private func convolve(
    _ x: Tensor, _ packed: [PackedWeights], channels: Int, outputs: Int, shape: FeatureShape,
    tiles: FourierTiles,
    origin: (Int, Int), threads: Int
  ) -> Tensor {
    let plan = FourierPlan(size: tiles.size, channels: channels)
    let inverse = FourierPlan(size: tiles.size, channels: outputs)
    let spectra = tiles.transform(x, plan, extent: tiles.size, origin: origin, threads: threads)
    var products = Tensor(uninitialized: [tiles.count, inverse.spectrumCount])
    var y = Tensor(uninitialized: shape.extents)
    spectra.withPointer { xs in
      products.withMutablePointer { ys in
        parallel(plan.frequencies, threads: threads) { frequencies in
          for frequency in frequencies {
            indirectGEMM(rows: tiles.count, weights: packed[frequency], threads: 1) { range, table in
              let slot = table.slot(0), out = table.outputRows
              table.setTap(slot: 0, 0)
              for tile in range {
                slot[tile - range.lowerBound] = xs + tile * plan.spectrumCount + frequency * 2 * channels
                out[tile - range.lowerBound] = ys + tile * inverse.spectrumCount + frequency * 2 * outputs
              }
              return 1
            }
          }
        }
        y.withMutablePointer { y in tiles.invert(ys, inverse, into: y, shape: shape, threads: threads) }
      }
    }
    return y
  }

  /// The weight's conjugate spectra as real matrices for each frequency.
  private func spectra(_ weight: Tensor, size: Int, backward: Bool) -> [PackedWeights] {
    let inGroup = geometry.channelsPerGroup, outputs = geometry.outputChannels, row = inGroup * outputs
    let plan = FourierPlan(size: size, channels: row)
    var tile = Tensor(repeating: 0, [plan.tileCount])
    var spectrum = Tensor(uninitialized: [plan.spectrumCount])
    weight.withPointer { w in
      tile.withMutablePointer { tile in
        for tap in 0..<geometry.taps {
          // Backward, the window is turned by half a turn.
          let position = backward ? geometry.taps - 1 - tap : tap
          let y = position / geometry.kernel.width * geometry.dilation.height
          let x = position % geometry.kernel.width * geometry.dilation.width
          (tile + (y * size + x) * row).update(from: w + tap * row, count: row)
        }
        spectrum.withMutablePointer { plan.transform(tile, $0) }
      }
    }
    let inner = backward ? geometry.outputsPerGroup : inGroup
    let outer = backward ? inGroup : geometry.outputsPerGroup
    return spectrum.withPointer { spectrum in
      (0..<plan.frequencies).map { frequency in
        withScratch(geometry.groups * 4 * inner * outer) { matrix in
          for group in 0..<geometry.groups {
            for i in 0..<inner {
              for o in 0..<outer {
                let channel = backward ? o : i
                let output = group * geometry.outputsPerGroup + (backward ? i : o)
                let value = spectrum + 2 * (frequency * row + channel * outputs + output)
                // (a + b·i) · conj(re + im·i) as a row times a 2 × 2 matrix.
                let first = matrix + ((group * inner + i) * 2 * outer + o) * 2
                let second = first + 2 * outer
                first[0] = value[0]
                first[1] = -value[1]
                second[0] = value[1]
                second[1] = value[0]
              }
            }
          }
          return PackedWeights(
            groups: geometry.groups, taps: 1, channels: 2 * inner, outputs: 2 * outer, from: matrix,
            groupStride: 4 * inner * outer, tapStride: 0, channelStride: 2 * outer, outputStride: 1)
        }
      }
    }
  }

  /// Every stride-th pixel.
  private func subsampled(_ dense: Tensor, _ shape: FeatureShape) -> Tensor {
    if geometry.stride == Pair(1) { return dense }
    let from = FeatureShape(dense)
    var result = Tensor(uninitialized: shape.extents)
    dense.withPointer { source in
      result.withMutablePointer { target in
        forEachStrided(from, shape) { (target + $1).update(from: source + $0, count: shape.channels) }
      }
    }
    return result
  }

  /// The inverse: zeros between the pixels.
  private func upsampled(_ g: Tensor, _ shape: FeatureShape) -> Tensor {
    if geometry.stride == Pair(1) { return g }
    let from = FeatureShape(g)
    var result = Tensor(repeating: 0, shape.extents)
    g.withPointer { source in
      result.withMutablePointer { target in
        forEachStrided(shape, from) { (target + $0).update(from: source + $1, count: shape.channels) }
      }
    }
    return result
  }

  /// Visits (offset in the dense image, offset in the strided one) of all pixels of the strided one.
  private func forEachStrided(_ dense: FeatureShape, _ strided: FeatureShape, _ body: (Int, Int) -> Void) {
    for image in 0..<strided.batch {
      for row in 0..<strided.height {
        for column in 0..<strided.width {
          let y = row * geometry.stride.height, x = column * geometry.stride.width
          body(
            ((image * dense.height + y) * dense.width + x) * dense.channels,
            ((image * strided.height + row) * strided.width + column) * strided.channels)
        }
      }
    }
  }
}
