import Tensors

/// A layer of each image's mean pixel, plus the same layer of its largest values: CBAM's channel attention before its
/// sigmoid (Woo et al., 2018, arXiv:1807.06521).
///
/// The layer sees one batch: all means, then all maxima.
public final class MeanAndMaximum: Layer {
  private let shared: any Layer
  private var saved: (input: FeatureShape, winners: [Int])?

  /// Both poolings before a layer that keeps `[batch, 1, 1, ·]`.
  public init(_ shared: any Layer) { self.shared = shared }

  public var children: [(name: String, layer: any Layer)] { shared.children }

  private func pooled(_ input: FeatureShape) -> FeatureShape {
    FeatureShape(batch: 2 * input.batch, height: 1, width: 1, channels: input.channels)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    var output = try shared.outputShape(for: pooled(input))
    output.batch = input.batch
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
    var winners = Array(repeating: 0, count: shape.batch * channels)
    input.withPointer { x in
      both.withMutablePointer { both in
        for image in 0..<shape.batch {
          let mean = both + image * channels, largest = mean + shape.batch * channels
          for pixel in 0..<size {
            let first = (image * size + pixel) * channels
            for channel in 0..<channels {
              let value = x[first &+ channel]
              mean[channel] += value
              if pixel == 0 || value > largest[channel] {
                largest[channel] = value
                winners[image * channels + channel] = first + channel
              }
            }
          }
          for channel in 0..<channels { mean[channel] /= Float(size) }
        }
      }
    }
    if context.training { saved = (shape, winners) }
    let output = shared.forward(both, context), half = output.count / 2
    let values = output.values
    return Tensor((0..<half).map { values[$0] + values[half + $0] }, [shape.batch] + output.shape.dropFirst())
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let (shape, winners) = saved.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    let values = gradient.values
    let inner = shared.backward(
      Tensor(values + values, [2 * shape.batch] + gradient.shape.dropFirst()), context)
    let channels = shape.channels, size = shape.height * shape.width
    var result = Tensor(uninitialized: shape.extents)
    inner.withPointer { g in
      result.withMutablePointer { dx in
        for image in 0..<shape.batch {
          for pixel in 0..<size {
            let first = (image * size + pixel) * channels
            for channel in 0..<channels {
              dx[first &+ channel] = g[image &* channels &+ channel] / Float(size)
            }
          }
        }
        for (index, winner) in winners.enumerated() { dx[winner] += g[winners.count + index] }
      }
    }
    return result
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let (height, width) = (input.shape[1], input.shape[2])
    func pool(_ function: ([Double]) -> Double) -> Tensor64 {
      Tensor64([input.shape[0], 1, 1, input.shape[3]]) { image, _, _, channel in
        function((0..<height * width).map { input[image, $0 / width, $0 % width, channel] })
      }
    }
    return shared.reference(pool { $0.reduce(0, +) / Double($0.count) }, parameters, training: training)
      + shared.reference(pool { $0.max() ?? 0 }, parameters, training: training)
  }
}

/// Two channels made of all: each pixel's mean and its largest value.
public final class ChannelPooling: Layer {
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
    var winners = Array(repeating: 0, count: shape.pixels)
    input.withPointer { x in
      result.withMutablePointer { y in
        for pixel in 0..<shape.pixels {
          var sum: Float = 0, best = pixel * channels
          for index in pixel * channels..<(pixel + 1) * channels {
            sum += x[index]
            if x[index] > x[best] { best = index }
          }
          y[2 * pixel] = sum / Float(channels)
          y[2 * pixel + 1] = x[best]
          winners[pixel] = best
        }
      }
    }
    if context.training { saved = (shape, winners) }
    return result
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
    return Tensor64(input.shape.dropLast() + [2]) { image, row, column, which in
      let pixel = (0..<channels).map { input[image, row, column, $0] }
      return which == 0 ? pixel.reduce(0, +) / Double(channels) : pixel.max() ?? 0
    }
  }
}
