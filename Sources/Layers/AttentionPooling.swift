import Tensors

/// A layer of each image's mean pixel, plus the same layer of its largest values: CBAM's channel attention before its
/// sigmoid (Woo et al., 2018, arXiv:1807.06521).
///
/// The layer sees one image of two pixels, the mean and the maximum, for each image.
public final class MeanAndMaximum: HoldsDecisions {
  private let shared: any Layer
  private var saved: (input: FeatureShape, winners: [Int])?

  /// Both poolings before a layer that treats each pixel by itself.
  public init(_ shared: any Layer) { self.shared = shared }

  public var children: [(name: String, layer: any Layer)] { shared.children }
  public var parts: [any Layer] { [shared] }

  private func pooled(_ input: FeatureShape) -> FeatureShape {
    FeatureShape(batch: input.batch, height: 1, width: 2, channels: input.channels)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    var output = try shared.outputShape(for: pooled(input))
    output.width = 1
    return output
  }

  /// Both poolings and the sum of the two halves; backward, a division for each mean and an addition for each maximum.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let values = input.batch * input.channels
    let own =
      pass == .backward
      ? Cost(adds: values, otherOps: values, bytes: 4 * input.count)
      : Cost(
        adds: input.count - values + (try outputShape(for: input).count), otherOps: input.count,
        bytes: 4 * input.count)
    return try shared.cost(for: pooled(input), pass: pass) + own
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input), channels = shape.channels, size = shape.height * shape.width
    var both = Tensor(repeating: 0, pooled(shape).extents)
    let winners = context.decided(by: self) { positions(input.values, shape) }
    input.withPointer { x in
      both.withMutablePointer { both in
        for image in 0..<shape.batch {
          let mean = both + 2 * image * channels, largest = mean + channels
          for pixel in 0..<size {
            let first = (image * size + pixel) * channels
            for channel in 0..<channels { mean[channel] += x[first &+ channel] }
          }
          for channel in 0..<channels {
            mean[channel] /= Float(size)
            largest[channel] = x[winners[image * channels + channel]]
          }
        }
      }
    }
    if context.training { saved = (shape, winners) }
    let output = shared.forward(both, context), width = output.shape[3]
    var sums = Tensor(uninitialized: [shape.batch, 1, 1, width])
    output.withPointer { y in
      sums.withMutablePointer { sums in
        for index in 0..<shape.batch * width {
          let first = index / width * 2 * width + index % width
          sums[index] = y[first] + y[first + width]
        }
      }
    }
    return sums
  }

  /// Where each image's largest value of each channel stands; the first of equal ones.
  private func positions<Value: Comparable>(_ x: [Value], _ shape: FeatureShape) -> [Int] {
    let channels = shape.channels, size = shape.height * shape.width * channels
    return (0..<shape.batch * channels).map { index in
      let first = index / channels * size + index % channels
      return stride(from: first, to: first + size, by: channels).reduce(first) { x[$1] > x[$0] ? $1 : $0 }
    }
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let (shape, winners) = saved.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    let width = gradient.shape[3], values = gradient.values
    let both = Tensor(
      (0..<2 * values.count).map { values[$0 / (2 * width) * width + $0 % width] },
      [shape.batch, 1, 2, width])
    let inner = shared.backward(both, context)
    let channels = shape.channels, size = shape.height * shape.width
    var result = Tensor(uninitialized: shape.extents)
    inner.withPointer { g in
      result.withMutablePointer { dx in
        for image in 0..<shape.batch {
          let mean = g + 2 * image * channels, largest = mean + channels
          for pixel in 0..<size {
            let first = (image * size + pixel) * channels
            for channel in 0..<channels { dx[first &+ channel] = mean[channel] / Float(size) }
          }
          for channel in 0..<channels { dx[winners[image * channels + channel]] += largest[channel] }
        }
      }
    }
    return result
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let shape = FeatureShape(
      batch: input.shape[0], height: input.shape[1], width: input.shape[2], channels: input.shape[3])
    _ = Decisions.ofDefinition?.made(by: self) { positions(input.values, shape) }
    let both = Tensor64(pooled(shape).extents) { image, _, which, channel in
      let values = (0..<shape.height * shape.width).map {
        input[image, $0 / shape.width, $0 % shape.width, channel]
      }
      return which == 0 ? values.reduce(0, +) / Double(values.count) : values.max() ?? 0
    }
    let output = shared.reference(both, parameters, training: training)
    return Tensor64([shape.batch, 1, 1, output.shape[3]]) { image, _, _, channel in
      output[image, 0, 0, channel] + output[image, 0, 1, channel]
    }
  }
}

/// Two channels made of all: each pixel's mean and its largest value.
public final class ChannelPooling: HoldsDecisions {
  private var saved: (input: FeatureShape, winners: [Int])?

  /// The pooling before CBAM's spatial attention.
  public init() {}

  public func outputShape(for input: FeatureShape) -> FeatureShape {
    var output = input
    output.channels = 2
    return output
  }

  /// Backward, a division for each mean and an addition for each maximum.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let pixels = input.pixels, bytes = 4 * (input.count + 2 * pixels)
    return pass == .backward
      ? Cost(adds: pixels, otherOps: pixels, bytes: bytes)
      : Cost(adds: input.count - pixels, otherOps: input.count, bytes: bytes)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input), channels = shape.channels
    var result = Tensor(uninitialized: outputShape(for: shape).extents)
    let winners = context.decided(by: self) { positions(input.values, channels) }
    input.withPointer { x in
      result.withMutablePointer { y in
        for pixel in 0..<shape.pixels {
          var sum: Float = 0
          for index in pixel * channels..<(pixel + 1) * channels { sum += x[index] }
          y[2 * pixel] = sum / Float(channels)
          y[2 * pixel + 1] = x[winners[pixel]]
        }
      }
    }
    if context.training { saved = (shape, winners) }
    return result
  }

  /// Where each pixel's largest value stands; the first of equal ones.
  private func positions<Value: Comparable>(_ x: [Value], _ channels: Int) -> [Int] {
    stride(from: 0, to: x.count, by: channels).map { first in
      (first..<first + channels).reduce(first) { x[$1] > x[$0] ? $1 : $0 }
    }
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let (shape, winners) = saved.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    let channels = shape.channels
    var result = Tensor(uninitialized: shape.extents)
    gradient.withPointer { g in
      result.withMutablePointer { dx in
        for pixel in 0..<shape.pixels {
          (dx + pixel * channels).update(repeating: g[2 * pixel] / Float(channels), count: channels)
          dx[winners[pixel]] += g[2 * pixel + 1]
        }
      }
    }
    return result
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let channels = input.shape[3]
    _ = Decisions.ofDefinition?.made(by: self) { positions(input.values, channels) }
    return Tensor64(input.shape.dropLast() + [2]) { image, row, column, which in
      let pixel = (0..<channels).map { input[image, row, column, $0] }
      return which == 0 ? pixel.reduce(0, +) / Double(channels) : pixel.max() ?? 0
    }
  }
}
