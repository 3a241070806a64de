import Compute
import Tensors

/// The plain definition of deformable convolution, in double precision.
enum DeformableReference {
  /// A bilinear sample of one channel at (y, x); 0 unless −1 < y < H and −1 < x < W; missing neighbours are 0.
  static func sample(_ image: Tensor64, _ index: Int, _ y: Double, _ x: Double, _ channel: Int) -> Double {
    guard y > -1, y < Double(image.shape[1]), x > -1, x < Double(image.shape[2]) else { return 0 }
    func pixel(_ row: Int, _ column: Int) -> Double {
      guard row >= 0, row < image.shape[1], column >= 0, column < image.shape[2] else { return 0 }
      return image[index, row, column, channel]
    }
    let top = Int(y.rounded(.down)), left = Int(x.rounded(.down))
    let dy = y - Double(top), dx = x - Double(left)
    return (1 - dy) * ((1 - dx) * pixel(top, left) + dx * pixel(top, left + 1))
      + dy * ((1 - dx) * pixel(top + 1, left) + dx * pixel(top + 1, left + 1))
  }

  /// y[p, o] = bias[o] + Σ over taps t, channels c of combine(m[p, t] · x(p·s + t·d − padding + Δ[p, t], c), w[t, c, o])
  ///
  /// Δ holds (vertical, horizontal) for each offset group and tap; m, if there is one, one factor for each.
  static func forward(
    _ x: Tensor64, offset: Tensor64, mask: Tensor64?, _ w: Tensor64, _ bias: Tensor64?,
    _ geometry: ConvolutionGeometry, _ combine: Combination
  ) -> Tensor64 {
    let g = geometry, taps = g.taps
    let channelsPerOffset = g.inputChannels / (offset.shape[3] / (2 * taps))
    var y = g.referenceStart(x.shape, bias)
    for image in 0..<y.shape[0] {
      for row in 0..<y.shape[1] {
        for column in 0..<y.shape[2] {
          for tap in 0..<taps {
            let baseY = Double(
              row * g.stride.height - g.padding.top + tap / g.kernel.width * g.dilation.height)
            let baseX = Double(
              column * g.stride.width - g.padding.left + tap % g.kernel.width * g.dilation.width)
            for channel in 0..<g.inputChannels {
              let slot = channel / channelsPerOffset * taps + tap
              let value =
                sample(
                  x, image, baseY + offset[image, row, column, 2 * slot],
                  baseX + offset[image, row, column, 2 * slot + 1], channel)
                * (mask.map { $0[image, row, column, slot] } ?? 1)
              let group = channel / g.channelsPerGroup, inner = channel % g.channelsPerGroup
              for out in group * g.outputsPerGroup..<(group + 1) * g.outputsPerGroup {
                let weight = w[tap / g.kernel.width, tap % g.kernel.width, inner, out]
                y[image, row, column, out] += combine.term(value, weight)
              }
            }
          }
        }
      }
    }
    return y
  }

  /// The gradients to x, the offsets, the mask and w: the chain rule over the same sums, sample by sample.
  static func backward(
    _ x: Tensor64, offset: Tensor64, mask: Tensor64?, _ w: Tensor64, _ gradient: Tensor64,
    _ geometry: ConvolutionGeometry, _ combine: Combination
  ) -> (x: Tensor64, offset: Tensor64, mask: Tensor64?, w: Tensor64) {
    let g = geometry, taps = g.taps
    let channelsPerOffset = g.inputChannels / (offset.shape[3] / (2 * taps))
    var dx = Tensor64(repeating: 0, x.shape), dw = Tensor64(repeating: 0, w.shape)
    var dOffset = Tensor64(repeating: 0, offset.shape), dMask = mask.map { Tensor64(repeating: 0, $0.shape) }
    for image in 0..<gradient.shape[0] {
      for row in 0..<gradient.shape[1] {
        for column in 0..<gradient.shape[2] {
          for tap in 0..<taps {
            let baseY = Double(
              row * g.stride.height - g.padding.top + tap / g.kernel.width * g.dilation.height)
            let baseX = Double(
              column * g.stride.width - g.padding.left + tap % g.kernel.width * g.dilation.width)
            for channel in 0..<g.inputChannels {
              let slot = channel / channelsPerOffset * taps + tap
              let y = baseY + offset[image, row, column, 2 * slot]
              let x0 = baseX + offset[image, row, column, 2 * slot + 1]
              let factor = mask.map { $0[image, row, column, slot] } ?? 1
              let value = sample(x, image, y, x0, channel)
              // What reaches the sample, over all outputs that read it.
              var reaches = 0.0
              let group = channel / g.channelsPerGroup, inner = channel % g.channelsPerGroup
              for out in group * g.outputsPerGroup..<(group + 1) * g.outputsPerGroup {
                let weight = w[tap / g.kernel.width, tap % g.kernel.width, inner, out]
                let got = gradient[image, row, column, out]
                let (toSample, toWeight) = combine.termGradients(value * factor, weight)
                reaches += got * toSample
                dw[tap / g.kernel.width, tap % g.kernel.width, inner, out] += got * toWeight
              }
              dMask?[image, row, column, slot] += reaches * value
              guard y > -1, y < Double(x.shape[1]), x0 > -1, x0 < Double(x.shape[2]) else { continue }
              let top = Int(y.rounded(.down)), left = Int(x0.rounded(.down))
              let fy = y - Double(top), fx = x0 - Double(left)
              for (dy, dxx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let pixelY = top + dy, pixelX = left + dxx
                guard pixelY >= 0, pixelY < x.shape[1], pixelX >= 0, pixelX < x.shape[2] else { continue }
                let wy = dy == 0 ? 1 - fy : fy, wx = dxx == 0 ? 1 - fx : fx
                let pixel = x[image, pixelY, pixelX, channel]
                dx[image, pixelY, pixelX, channel] += reaches * factor * wy * wx
                dOffset[image, row, column, 2 * slot] += reaches * factor * pixel * wx * (dy == 0 ? -1 : 1)
                dOffset[image, row, column, 2 * slot + 1] +=
                  reaches * factor * pixel * wy * (dxx == 0 ? -1 : 1)
              }
            }
          }
        }
      }
    }
    return (dx, dOffset, dMask, dw)
  }
}

extension Combination {
  /// What one value and one weight add to an output.
  fileprivate func term(_ x: Double, _ w: Double) -> Double {
    switch self {
    case .multiply: x * w
    case .adder: -abs(x - w)
    }
  }

  /// The term's derivatives by the value and by the weight; of an adder, AdderNet's.
  fileprivate func termGradients(_ x: Double, _ w: Double) -> (x: Double, w: Double) {
    switch self {
    case .multiply: (w, x)
    case .adder: (min(max(w - x, -1), 1), x - w)
    }
  }
}
