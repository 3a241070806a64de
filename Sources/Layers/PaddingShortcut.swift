import Compute
import Tensors

/// A shortcut without parameters: every stride-th pixel, with zeros in the added channels.
///
/// Option A of He et al. (2015, arXiv:1512.03385, §3.3); half of the added channels come before the old ones, half
/// after, as in the usual implementations for CIFAR.
public final class PaddingShortcut: Defined, TorchPrinted, HoldsDecisions {
  private let stride: Int, inputs: Int, outputs: Int
  private var saved = Saved<FeatureShape>()

  /// A shortcut from `inputs` to `outputs` channels, at least as many.
  public init(stride: Int, inputs: Int, outputs: Int) {
    precondition(outputs >= inputs && stride >= 1)
    self.stride = stride
    self.inputs = inputs
    self.outputs = outputs
  }

  public var printedArguments: String { "\(inputs), \(outputs), stride=\(stride)" }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.channels == inputs else {
      throw WorkbenchError("The shortcut takes \(inputs) channels, not \(input.channels).")
    }
    return FeatureShape(
      batch: input.batch, height: (input.height + stride - 1) / stride,
      width: (input.width + stride - 1) / stride, channels: outputs)
  }

  /// It only moves values.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    Cost(bytes: 4 * (input.count + (try outputShape(for: input)).count))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    saved.keep(shape, context)
    var result = Tensor(repeating: 0, output(shape).extents)
    input.withPointer { x in
      result.withMutablePointer { y in
        copyRuns(x, y, count: output(shape).pixels, length: inputs, threads: context.threads) {
          let place = places($0, shape)
          return (place.input, place.output)
        }
      }
    }
    return result
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = saved.take()
    var result = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      result.withMutablePointer { dx in
        copyRuns(g, dx, count: FeatureShape(gradient).pixels, length: inputs, threads: context.threads) {
          let place = places($0, shape)
          return (place.output, place.input)
        }
      }
    }
    return input.total(result, threads: context.threads)
  }

  private func output(_ shape: FeatureShape) -> FeatureShape {
    guard let output = try? outputShape(for: shape) else { preconditionFailure("unchecked shape \(shape)") }
    return output
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let first = (outputs - inputs) / 2
    let extent = { (size: Int) in (size + self.stride - 1) / self.stride }
    return Tensor64([input.shape[0], extent(input.shape[1]), extent(input.shape[2]), outputs]) {
      image, row, column, channel in
      (first..<first + inputs).contains(channel)
        ? input[image, row * stride, column * stride, channel - first] : 0
    }
  }

  /// Where the channels of an output pixel start in the input and in the output.
  private func places(_ pixel: Int, _ input: FeatureShape) -> (input: Int, output: Int) {
    let width = (input.width + stride - 1) / stride, height = (input.height + stride - 1) / stride
    let (line, column) = pixel.quotientAndRemainder(dividingBy: width)
    let (image, row) = line.quotientAndRemainder(dividingBy: height)
    return (
      ((image * input.height + row * stride) * input.width + column * stride) * inputs,
      pixel * outputs + (outputs - inputs) / 2
    )
  }
}

extension PaddingShortcut: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    var y = x
    if stride > 1 {
      y = graph.slice(y, axis: 2, 0..<shape.height, step: stride)
      y = graph.slice(y, axis: 3, 0..<shape.width, step: stride)
    }
    guard outputs > inputs else { return y }
    let first = (outputs - inputs) / 2
    return graph.node(
      "Pad", [y, graph.constant("pads", [0, first, 0, 0, 0, outputs - inputs - first, 0, 0])])
  }
}
