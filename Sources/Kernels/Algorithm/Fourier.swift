import Compute
import Layers
import Tensors

/// Convolution in the frequency domain by overlap–save, with the channels mixed by the engine's GEMM.
struct Fourier: Algorithm {
  let name = "fft"

  /// Why this build cannot compute it; nil if it can.
  static let unavailable =
    FourierPlan.libraryVersion == nil
    ? "The algorithm fft needs FFTW, which this build leaves out; build with FFTW, or choose another algorithm."
    : nil

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    if let reason = Self.unavailable { return reason }
    if let reason = operation.refusalUnlessGridOfProducts(name) { return reason }
    let g = operation.geometry, reach = FourierTiles.reach(g)
    guard reach <= 1024 else {
      return "The algorithm fft supports windows that span at most 1024 pixels, not \(reach); use direct."
    }
    // A tile is at least as large as the reach; its spectra are the largest arrays: one set as they come from the
    // transform, and training holds two packed ones.
    let size = FourierTiles.sizes(from: reach).first ?? reach
    return Tensor.refusal(
      [size, size / 2 + 1, 6, g.channelsPerGroup, g.outputChannels], "The weights' spectra for fft")
  }

  /// It is worthwhile for large windows, and for very large depthwise ones, but never for weight gradients.
  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    let g = operation.geometry
    guard pass != .weightGradient, g.stride == Pair(1), g.taps >= (g.isDepthwise ? 225 : 25) else {
      return .infinity
    }
    let tiles = FourierTiles(g, output: pass == .forward ? g.checkedOutput(input) : input)
    // The estimate of the tiles is made for dense kernels; without their spectra, transforms run nearly twice as
    // fast.
    let time = g.isDepthwise ? 0.6 * tiles.nanoseconds : tiles.nanoseconds + Estimates.least
    return time / CoreSpeeds.own.margin
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { FourierPasses(operation.geometry) }
}

/// The passes of `fft`.
///
/// For each frequency the tiles' channels are multiplied by a complex matrix of channels × outputs. Everything is
/// computed at stride 1 and subsampled.
final class FourierPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry
  private let unit: ConvolutionGeometry
  private let forwardSpectra = FilterCache<ComplexWeights>(), backwardSpectra = FilterCache<ComplexWeights>()

  init(_ geometry: ConvolutionGeometry) {
    self.geometry = geometry
    unit = geometry.withUnitStride
  }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let full = unit.checkedOutput(FeatureShape(x))
    let tiles = FourierTiles(unit, output: full)
    let packed = forwardSpectra.value(filter, context, variant: tiles.size) {
      spectra($0, size: tiles.size, backward: false, threads: context.threads)
    }
    let dense = convolve(
      x, packed, channels: geometry.inputChannels, outputs: geometry.outputChannels, shape: full,
      tiles: tiles,
      origin: (-geometry.padding.top, -geometry.padding.left), threads: context.threads)
    let y = subsampled(dense, geometry.checkedOutput(FeatureShape(x)))
    return epilogue.applied(to: y, context)
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    let input = FeatureShape(x)
    let dense = upsampled(g, unit.checkedOutput(input))
    let tiles = FourierTiles(unit, output: input)
    let packed = backwardSpectra.value(Filter(weight), context, variant: tiles.size) {
      spectra($0, size: tiles.size, backward: true, threads: context.threads)
    }
    // dx is the correlation of g with the rotated window: position q reads g from q + padding − reach + 1 on.
    let dx = convolve(
      dense, packed, channels: geometry.outputChannels, outputs: geometry.inputChannels, shape: input,
      tiles: tiles,
      origin: (
        geometry.padding.top - geometry.dilation.height * (geometry.kernel.height - 1),
        geometry.padding.left - geometry.dilation.width * (geometry.kernel.width - 1)
      ), threads: context.threads)
    return Epilogue(residual: summand).applied(to: dx, context)
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    let full = unit.checkedOutput(FeatureShape(x))
    let tiles = FourierTiles(unit, output: full)
    let dense = upsampled(g, full)
    let inputs = geometry.inputChannels, outputs = geometry.outputChannels, groups = geometry.groups
    let xPlan = FourierPlan(size: tiles.size, channels: inputs)
    let gPlan = FourierPlan(size: tiles.size, channels: outputs)
    let xSpectra = tiles.transform(
      x, xPlan, extent: tiles.size, origin: (-geometry.padding.top, -geometry.padding.left),
      threads: context.threads)
    let gSpectra = tiles.transform(
      dense, gPlan, extent: tiles.valid, origin: (0, 0), threads: context.threads)
    // For each frequency Σ over tiles of x · conj g: the real and imaginary parts' four real products.
    let inGroup = inputs / groups, outGroup = outputs / groups
    let wPlan = FourierPlan(size: tiles.size, channels: inGroup * outputs)
    var spectrum = Tensor(uninitialized: [wPlan.spectrumCount])
    withPointers(xSpectra, gSpectra) { xs, gs in
      spectrum.withMutablePointer { spectrum in
        parallel(xPlan.frequencies, threads: context.threads) { frequencies in
          withScratch(4 * inGroup * outGroup + tiles.count * 2 * (inGroup + outGroup)) { product in
            let xRows = product + 4 * inGroup * outGroup, gRows = xRows + tiles.count * 2 * inGroup
            for frequency in frequencies {
              for group in 0..<groups {
                let x = xs + frequency * 2 * inputs + group * inGroup
                let g = gs + frequency * 2 * outputs + group * outGroup
                for tile in 0..<tiles.count {
                  copyParts(x + tile * xPlan.spectrumCount, inputs, inGroup, to: xRows + tile * 2 * inGroup)
                  copyParts(
                    g + tile * gPlan.spectrumCount, outputs, outGroup, to: gRows + tile * 2 * outGroup)
                }
                indirectWeightGradient(
                  rows: tiles.count, groups: 1, taps: 1, channels: 2 * inGroup, outputs: 2 * outGroup,
                  gradient: gRows, result: product, threads: 1
                ) { _, range, pointers, _ in
                  for tile in range {
                    pointers[tile - range.lowerBound] = UnsafePointer(xRows + tile * 2 * inGroup)
                  }
                }
                let target = spectrum + frequency * 2 * inGroup * outputs + group * outGroup
                for channel in 0..<inGroup {
                  let real = product + channel * 2 * outGroup, imaginary = real + inGroup * 2 * outGroup
                  for output in 0..<outGroup {
                    let position = channel * outputs + output
                    target[position] = real[output] + imaginary[outGroup + output]
                    target[inGroup * outputs + position] = imaginary[output] - real[outGroup + output]
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
    let scale = 1 / Float(tiles.size * tiles.size), row = inGroup * outputs
    spectrum.withMutablePointer { spectrum in
      dw.withMutablePointer { dw in
        withScratch(wPlan.tileCount) { lags in
          for block in wPlan.blocks {
            wPlan.invert(spectrum, block, lags)
            for tap in 0..<geometry.taps {
              let (y, x) = geometry.reach(ofTap: tap)
              Elementwise.scale(
                scale, lags + (y * tiles.size + x) * FourierPlan.width(block.count),
                dw + tap * row + block.lowerBound,
                count: block.count, threads: 1)
            }
          }
        }
      }
    }
    return dw
  }

  /// Real and imaginary parts of one group's channels, side by side.
  private func copyParts(
    _ source: UnsafePointer<Float>, _ all: Int, _ own: Int, to target: UnsafeMutablePointer<Float>
  ) {
    target.update(from: source, count: own)
    (target + own).update(from: source + all, count: own)
  }

  /// Tiles of x → spectra → products with `weights` → tiles of the output.
  private func convolve(
    _ x: Tensor, _ weights: ComplexWeights, channels: Int, outputs: Int, shape: FeatureShape,
    tiles: FourierTiles, origin: (Int, Int), threads: Int
  ) -> Tensor {
    let plan = FourierPlan(size: tiles.size, channels: channels)
    let inverse = FourierPlan(size: tiles.size, channels: outputs)
    let spectra = tiles.transform(x, plan, extent: tiles.size, origin: origin, threads: threads)
    var products = Tensor(uninitialized: [tiles.count, inverse.spectrumCount])
    var y = Tensor(uninitialized: shape.extents)
    spectra.withPointer { xs in
      products.withMutablePointer { ys in
        complexMultiply(
          rows: tiles.count, frequencies: plan.frequencies, weights: weights, x: xs, xRow: plan.spectrumCount,
          y: ys, yRow: inverse.spectrumCount, threads: threads)
        y.withMutablePointer { y in tiles.invert(ys, inverse, into: y, shape: shape, threads: threads) }
      }
    }
    return y
  }

  /// The weight's conjugate spectra.
  private func spectra(_ weight: Tensor, size: Int, backward: Bool, threads: Int) -> ComplexWeights {
    let inGroup = geometry.channelsPerGroup, outputs = geometry.outputChannels, row = inGroup * outputs
    let plan = FourierPlan(size: size, channels: row), blocks = plan.blocks
    var spectrum = Tensor(uninitialized: [plan.spectrumCount])
    weight.withPointer { w in
      spectrum.withMutablePointer { spectrum in
        parallel(blocks.count, threads: threads) { range in
          withScratch(plan.tileCount) { tile in
            for block in blocks[range] {
              let width = FourierPlan.width(block.count)
              tile.update(repeating: 0, count: size * size * width)
              for tap in 0..<geometry.taps {
                // For the input gradient the window is rotated by 180°.
                let (y, x) = geometry.reach(ofTap: backward ? geometry.taps - 1 - tap : tap)
                (tile + (y * size + x) * width).update(
                  from: w + tap * row + block.lowerBound, count: block.count)
              }
              plan.transform(tile, block, spectrum)
            }
          }
        }
      }
    }
    let outer = geometry.outputsPerGroup
    return spectrum.withPointer { real in
      ComplexWeights(
        frequencies: plan.frequencies, groups: geometry.groups, channels: backward ? outer : inGroup,
        outputs: backward ? inGroup : outer, real: real, imaginary: real + row, conjugate: true,
        frequencyStride: 2 * row, groupStride: outer, channelStride: backward ? 1 : outputs,
        outputStride: backward ? outputs : 1, threads: threads)
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
