import Compute
import Tensors

/// Interpolation to the size of an image, as PyTorch's `interpolate` without aligned corners.
public final class Upsampling: Defined, TorchPrinted, HoldsDecisions {
  /// The interpolation between pixels.
  public enum Mode: String, Sendable {
    /// A mean of the four neighbours, weighted by proximity.
    case bilinear
    /// The pixel that covers the position.
    case nearest
  }

  private let height: Int, width: Int
  private let mode: Mode
  private let maps = PixelMaps()
  private var saved = Saved<FeatureShape>()

  /// An interpolation to `height` × `width` pixels.
  public init(height: Int, width: Int, mode: Mode = .bilinear) {
    self.height = height
    self.width = width
    self.mode = mode
  }

  public var printedArguments: String { "size=(\(height), \(width)), mode=\(mode.rawValue)" }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = FeatureShape(batch: input.batch, height: height, width: width, channels: input.channels)
    try Tensor.checkSize(output.extents, "The interpolated image")
    return output
  }

  /// Four products and three sums for each value; backward, four products that are added to its neighbours. A nearest value
  /// is only moved, and backward added.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), bytes = 4 * (input.count + output.count)
    if mode == .nearest { return Cost(adds: pass == .backward ? output.count : 0, bytes: bytes) }
    return pass == .backward
      ? Cost(macs: 4 * output.count, bytes: bytes) : Cost(otherOps: 7 * output.count, bytes: bytes)
  }

  /// Two neighbours along one axis, and the weight of the second.
  private func neighbours(_ place: Int, _ extent: Int, _ from: Int) -> (Int, Int, Double) {
    if mode == .nearest { return (place * from / extent, place * from / extent, 0) }
    let position = max((Double(place) + 0.5) * Double(from) / Double(extent) - 0.5, 0)
    let first = min(Int(position), from - 1)
    return (first, min(first + 1, from - 1), position - Double(first))
  }

  /// Each pixel from its neighbours, some of which may coincide.
  private func map(_ input: FeatureShape) -> PixelMap {
    let columns = (0..<width).map { neighbours($0, width, input.width) }
    return PixelMap(sources: input.height * input.width, targets: height * width) { term in
      for row in 0..<height {
        let (top, bottom, y) = neighbours(row, height, input.height)
        for (column, (left, right, x)) in columns.enumerated() {
          func add(_ line: Int, _ place: Int, _ share: Float) {
            if share != 0 { term(row * width + column, line * input.width + place, share) }
          }
          add(top, left, Float((1 - y) * (1 - x)))
          add(top, right, Float((1 - y) * x))
          add(bottom, left, Float(y * (1 - x)))
          add(bottom, right, Float(y * x))
        }
      }
    }
  }

  public var isExactOnIntegers: Bool { false }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    saved.keep(shape, context)
    let output = FeatureShape(batch: shape.batch, height: height, width: width, channels: shape.channels)
    return maps[shape, map].applied(to: input, output, context)
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = saved.take()
    return input.total(maps[shape, map].transposed(gradient, shape, context), threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    Tensor64([input.shape[0], height, width, input.shape[3]]) { image, row, column, channel in
      let (top, bottom, y) = neighbours(row, height, input.shape[1])
      let (left, right, x) = neighbours(column, width, input.shape[2])
      let above = (1 - x) * input[image, top, left, channel] + x * input[image, top, right, channel]
      let below = (1 - x) * input[image, bottom, left, channel] + x * input[image, bottom, right, channel]
      return (1 - y) * above + y * below
    }
  }
}

extension Upsampling: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let attributes: KeyValuePairs<String, ONNXGraph.Attribute> =
      mode == .nearest
      ? [
        "axes": .ints([2, 3]), "mode": .string("nearest"), "nearest_mode": .string("floor"),
        "coordinate_transformation_mode": .string("asymmetric"),
      ]
      : [
        "axes": .ints([2, 3]), "mode": .string("linear"),
        "coordinate_transformation_mode": .string("half_pixel"),
      ]
    return graph.node("Resize", [x, nil, nil, graph.constant("sizes", [height, width])], attributes)
  }
}
