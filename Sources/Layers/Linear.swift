import Compute
import Tensors

/// A fully connected layer: y = x · W + b, over the channels of each pixel.
///
/// A network applies it after global pooling, to `[batch, 1, 1, channels]`. The weight is [inputs, outputs] in
/// memory and [outputs, inputs] in files.
public final class Linear: Defined, TorchPrinted, HoldsDecisions {
  /// W.
  public let weight: Parameter
  /// b.
  public let bias: Parameter
  private let inputs: Int, outputs: Int
  private var saved = Saved<Tensor>()
  private let forwardPack = FilterCache<PackedWeights>(), backwardPack = FilterCache<PackedWeights>()

  /// A layer with PyTorch's default initialisation: uniform within ±1/√inputs.
  public init(inputs: Int, outputs: Int, random: inout Random) {
    self.inputs = inputs
    self.outputs = outputs
    let bound = 1 / Double(inputs).squareRoot()
    weight = Parameter(
      Tensor(uniform: [inputs, outputs], in: -bound..<bound, using: &random), layout: .matrix)
    bias = Parameter(
      Tensor(uniform: [outputs], in: -bound..<bound, using: &random), layout: .plain, role: .bias)
  }

  public var printedArguments: String {
    "in_features=\(weight.value.shape[0]), out_features=\(weight.value.shape[1]), bias=True"
  }

  public var ownState: [NamedParameter] { [.init("weight", weight), .init("bias", bias)] }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.channels == inputs else {
      throw WorkbenchError("A linear layer of \(inputs) inputs cannot take \(input.channels) channels.")
    }
    var shape = input
    shape.channels = outputs
    return shape
  }

  /// The gradients to input and weight are two more products; the bias is added, or its gradient is summed.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let parameters = inputs * outputs + outputs, products = pass == .backward ? 2 : 1
    return Cost(
      parameters: parameters, macs: products * input.pixels * inputs * outputs, adds: input.pixels * outputs,
      bytes: products * 4 * (input.count + parameters + input.pixels * outputs))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    saved.keep(input, context)
    let packed = forwardPack.value(Filter(weight), context) {
      PackedWeights(
        forward: $0.reshaped([1, 1, inputs, outputs]), groups: 1, threads: context.threads)
    }
    var result = Tensor(uninitialized: input.shape.dropLast() + [outputs])
    bias.value.withPointer {
      multiplyRows(input, packed, bias: $0, into: &result, threads: context.threads)
    }
    return result
  }

  public func backward(_ gradient: Tensor, input wanted: InputGradient, _ context: Context) -> Tensor {
    let input = saved.take(), rows = input.count / inputs
    bias.gradient = gradient.withPointer {
      Tensor(
        channelSum($0, rows: rows, channels: outputs, threads: context.threads).map(Float.init), [outputs])
    }
    weight.gradient = MatrixProduct.transposingFirst(
      input.reshaped([rows, inputs]), gradient.reshaped([rows, outputs]), threads: context.threads)
    guard wanted.isNeeded else { return InputGradient.nothing }
    let packed = backwardPack.value(Filter(weight), context) {
      PackedWeights(
        backward: $0.reshaped([1, 1, inputs, outputs]), groups: 1, threads: context.threads)
    }
    var result = Tensor(uninitialized: input.shape)
    multiplyRows(gradient, packed, bias: nil, into: &result, threads: context.threads)
    return wanted.total(result, threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let (weight, bias) = (parameters[0].values, parameters[1].values)
    return Tensor64(input.shape.dropLast() + [outputs]) { image, row, column, output in
      (0..<inputs).reduce(bias[output]) {
        $0 + input[image, row, column, $1] * weight[$1 * outputs + output]
      }
    }
  }
}

extension Linear: EndsFeatureMaps {
  public var isPooling: Bool { false }
}

/// As a 1×1 convolution.
extension Linear: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let weight = self.weight.value.toFileOrder(self.weight.layout).reshaped([outputs, inputs, 1, 1])
    return graph.node("Conv", [x, graph.constant("weight", weight), graph.constant("bias", bias)])
  }
}
