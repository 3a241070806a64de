import Compute
import Tensors

/// The largest value of each window; the first one wins a tie, as in PyTorch.
public final class MaxPooling: Defined, TorchPrinted, HoldsDecisions {
  private let window: PoolingWindow
  private let roundsUp: Bool
  private var saved = Saved<(shape: FeatureShape, winners: [Int32])>()

  /// A pooling layer with the given window. `roundsUp` says whether windows may reach over the far edge, as PyTorch's
  /// `ceil_mode`.
  public init(_ window: PoolingWindow, roundsUp: Bool = false) {
    self.window = window
    self.roundsUp = roundsUp
  }

  public var printedName: String { "MaxPool2d" }
  public var printedArguments: String {
    window.printed + ", dilation=1, ceil_mode=\(roundsUp ? "True" : "False")"
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.count <= Int(Int32.max) else {
      throw WorkbenchError("Max pooling supports fewer than 2³¹ elements, not \(input); use smaller batches.")
    }
    return try window.outputShape(for: input, roundsUp: roundsUp)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    _ = Decisions.ofDefinition?.made(by: self) {
      let places = Tensor64(input.values.indices.map(Double.init), input.shape)
      let winners = window.reference(places, roundsUp: roundsUp) { places in
        places.reduce(places[0]) { input.values[Int($1)] > input.values[Int($0)] ? $1 : $0 }
      }
      return winners.values.map { Int32($0) }
    }
    return window.reference(input, roundsUp: roundsUp) { $0.max() ?? 0 }
  }

  /// Comparisons; backward, an addition to each window's winner.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    return pass == .backward
      ? Cost(adds: output.count, bytes: 4 * (input.count + 2 * output.count))
      : Cost(
        otherOps: output.count * (window.size * window.size - 1), bytes: 4 * (input.count + output.count))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    guard let output = try? outputShape(for: shape) else { preconditionFailure("unchecked shape \(shape)") }
    var result = Tensor(uninitialized: output.extents)
    var winners: [Int32] = []
    input.withPointer { x in
      result.withMutablePointer { y in
        func pool(_ winners: UnsafeMutablePointer<Int32>?) {
          maximumPooling(
            x, shape, y, output, size: window.size, stride: window.stride, padding: window.padding,
            winners: winners, threads: context.threads)
        }
        guard context.training else { return pool(nil) }
        winners = Array(unsafeUninitializedCapacity: output.count) { buffer, count in
          pool(buffer.baseAddress)
          count = output.count
        }
      }
    }
    if let decisions = context.decisions {
      winners = decisions.made(by: self) { winners }
      input.withPointer { x in
        result.withMutablePointer { y in
          for (position, index) in winners.enumerated() { y[position] = x[Int(index)] }
        }
      }
    }
    saved.keep((shape, winners), context)
    return result
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (shape, winners) = saved.take()
    var result = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      result.withMutablePointer {
        maximumPoolingGradient(
          g, winners: winners, $0, FeatureShape(gradient), threads: context.threads)
      }
    }
    return input.total(result, threads: context.threads)
  }
}

extension MaxPooling: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    // The padding after the image that puts the windows where they belong; ONNX's ceil_mode has changed its meaning.
    let output = try outputShape(for: shape), first = window.padding
    func last(_ extent: Int, _ count: Int) -> Int {
      max((count - 1) * window.stride + window.size - extent - first, 0)
    }
    let pads = [first, first, last(shape.height, output.height), last(shape.width, output.width)]
    return graph.node(
      "MaxPool", [x],
      [
        "kernel_shape": .ints([window.size, window.size]), "strides": .ints([window.stride, window.stride]),
        "pads": .ints(pads),
      ])
  }
}
