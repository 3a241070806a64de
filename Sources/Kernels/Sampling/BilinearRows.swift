import Compute
import Layers
import Tensors

/// Row tables of learned positions: each tap of each output pixel is a bilinear sample, written into scratch memory.
/// All channels of an offset group share their samples.
///
/// The gradients to the positions are computed while the columns are scattered; `backward` passes them on.
public final class BilinearRows: SamplingPlan {
  private let geometry: ConvolutionGeometry
  private var samples: BilinearSamples
  private let offset: Tensor, mask: Tensor?
  private var offsetGradient = Tensor(uninitialized: [0]), maskGradient: Tensor?
  private let handOn: HandOn

  /// Takes the gradients to the offsets and the mask in a backward pass, and returns the gradient to the input with what
  /// reaches it through them.
  public typealias HandOn = (_ offset: Tensor, _ mask: Tensor?, _ dx: consuming Tensor, Context) -> Tensor

  /// The rows for offsets and masks.
  ///
  /// - Parameters:
  ///   - geometry: of the convolution.
  ///   - input: of fewer than 2³¹ elements an image.
  ///   - offset: NHWC: (vertical, horizontal) in pixels for each offset group and tap of each output pixel.
  ///   - mask: NHWC: one factor for each offset group and tap, or nil for 1.
  ///   - threads: the threads that it may use.
  ///   - handOn: receives the gradients.
  public init(
    _ geometry: ConvolutionGeometry, input: FeatureShape, offset: Tensor, mask: Tensor?, threads: Int,
    handOn: @escaping HandOn
  ) {
    self.geometry = geometry
    self.offset = offset
    self.mask = mask
    self.handOn = handOn
    samples = BilinearSamples(geometry, input: input, offset: offset, mask: mask, threads: threads)
  }

  /// These rows; where decisions are held, between the pixels of the first pass.
  public func held(by sampling: AnyObject, _ context: Context) -> BilinearRows {
    guard let decisions = context.decisions else { return self }
    let first = decisions.made(by: sampling) { BilinearSamples.Decision(samples: samples, offset: offset) }
    samples = first.samples.moved(from: first.offset, to: offset, mask: mask)
    return self
  }

  public var output: FeatureShape { samples.output }
  public var slots: SlotLayout { SlotLayout(count: geometry.taps) }
  public var scratchPerPixel: Int { geometry.taps * geometry.inputChannels }
  public var positions: Positions { Positions(offset: Tensor64(offset), mask: mask.map { Tensor64($0) }) }

  public func fill(
    _ pixels: Range<Int>, _ table: RowTable, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, skipsPadding: Bool
  ) -> Int {
    let taps = geometry.taps, channels = geometry.inputChannels, samples = samples
    for tap in 0..<taps { table.setTap(slot: tap, tap) }
    for pixel in pixels {
      let index = pixel &- pixels.lowerBound, image = samples.image(pixel, x)
      var row = table.scratch + index &* taps &* channels
      for tap in 0..<taps {
        samples.interpolate(pixel, tap, image: image, zeros: zeros, into: row)
        table.slot(tap)[index] = UnsafePointer(row)
        row += channels
      }
      table.outputRows[index] = y + pixel &* geometry.outputChannels
    }
    return taps
  }

  public func fillTap(
    _ tap: Int, _ pixels: Range<Int>, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into pointers: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    let samples = samples
    for pixel in pixels {
      let index = pixel - pixels.lowerBound, row = scratch + index * geometry.inputChannels
      samples.interpolate(pixel, tap, image: samples.image(pixel, x), zeros: zeros, into: row)
      pointers[index] = UnsafePointer(row)
    }
  }

  /// Adds what each output pixel reads, over all taps, channel by channel to y.
  func gather(
    _ x: UnsafePointer<Float>, zeros: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let samples = samples, channels = geometry.inputChannels, taps = geometry.taps
    let shared = samples.channelsPerOffset
    parallel(output.pixels, threads: threads) { pixels in
      for pixel in pixels {
        let image = samples.image(pixel, x), y = y + pixel &* channels
        for group in 0..<samples.offsetGroups {
          let first = group &* shared
          for tap in 0..<taps {
            let (sample, factor) = samples.sample(pixel, group, tap)
            BilinearSampling.accumulate(
              image + first, sample, scale: factor, zeros: zeros, into: y + first, channels: shared)
          }
        }
      }
    }
  }

  public func take(_ gradient: Positions) {
    if let offset = gradient.offset { offsetGradient = Tensor(offset) }
    maskGradient = gradient.mask.map { Tensor($0) }
  }

  public func backward(_ dx: consuming Tensor, _ context: Context) -> Tensor {
    handOn(offsetGradient, maskGradient, dx, context)
  }

  public func scatter(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, threads: Int
  ) {
    if pixels.lowerBound == 0 {
      offsetGradient = Tensor(uninitialized: offset.shape)
      maskGradient = mask.map { Tensor(uninitialized: $0.shape) }
    }
    positionGradients(columns, pixels, x, zeros, threads: threads)
    scatter(columns, pixels, into: dx, threads: threads)
  }

  /// The gradients to the offsets and the mask, by each sample's inner products with its neighbours.
  private func positionGradients(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, _ x: UnsafePointer<Float>,
    _ zeros: UnsafePointer<Float>, threads: Int
  ) {
    let taps = geometry.taps, channels = geometry.inputChannels, samples = samples
    let hasMask = maskGradient != nil
    var ofMask = maskGradient.take() ?? Tensor(uninitialized: [1])
    offsetGradient.withMutablePointer { offset in
      ofMask.withMutablePointer { mask in
        parallel(pixels.count, threads: threads) { rows in
          for row in rows {
            let pixel = pixels.lowerBound + row
            let image = samples.image(pixel, x)
            for group in 0..<samples.offsetGroups {
              for tap in 0..<taps {
                let index = (pixel * samples.offsetGroups + group) * taps + tap
                let (sample, factor) = samples.sample(pixel, group, tap)
                let first = group * samples.channelsPerOffset
                let s = BilinearSampling.products(
                  columns + (row * taps + tap) * channels + first, image + first, sample, zeros: zeros,
                  channels: samples.channelsPerOffset)
                let (fy, fx) = sample.fraction, w = sample.weights
                offset[2 * index] = factor * ((1 - fx) * (s.2 - s.0) + fx * (s.3 - s.1))
                offset[2 * index + 1] = factor * ((1 - fy) * (s.1 - s.0) + fy * (s.3 - s.2))
                if hasMask { mask[index] = w.0 * s.0 + w.1 * s.1 + w.2 * s.2 + w.3 * s.3 }
              }
            }
          }
        }
      }
    }
    maskGradient = hasMask ? ofMask : nil
  }

  /// Adds the column gradients to the pixels that were sampled; each thread owns a range of channels.
  private func scatter(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, into dx: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let taps = geometry.taps, channels = geometry.inputChannels
    let samples = samples, imagePixels = output.height * output.width
    let imageCount = samples.input.height * samples.input.width * channels
    parallel(channels, threads: threads, grain: 16) { share in
      for pixel in pixels {
        let image = dx + pixel / imagePixels * imageCount
        for group in 0..<samples.offsetGroups {
          let own = (group * samples.channelsPerOffset..<(group + 1) * samples.channelsPerOffset).clamped(
            to: share)
          if own.isEmpty { continue }
          for tap in 0..<taps {
            let (sample, factor) = samples.sample(pixel, group, tap)
            let column = columns + ((pixel - pixels.lowerBound) * taps + tap) * channels
            BilinearSampling.scatter(column, sample, scale: factor, into: image, channels: own)
          }
        }
      }
    }
  }
}

extension ConvolutionGeometry {
  /// What bilinear samples cost: 7 other operations for each channel (4 products, 3 sums), with a mask 8.
  ///
  /// Backward, each channel of a sample is interpolated again, spread over four neighbours (4 MACs), and multiplied with
  /// each of them (4 MACs).
  public func samplingCost(for input: FeatureShape, pass: Cost.Pass, masked: Bool) throws -> Cost {
    let samples = try outputShape(for: input).pixels * taps * inputChannels
    return Cost(macs: pass == .backward ? 8 * samples : 0, otherOps: (masked ? 8 : 7) * samples)
  }
}
