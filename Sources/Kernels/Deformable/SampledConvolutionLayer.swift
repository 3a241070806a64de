import Compute
import Layers
import Tensors

/// A layer that is a deformable convolution with positions of its own: predicted ones, or learned ones.
protocol SampledConvolutionLayer: KernelLayer {
  /// How a sample and a weight meet.
  var combine: Combination { get }
  /// The weight, HWIO.
  var weight: Parameter { get }
  /// The bias, if there is one.
  var bias: Parameter? { get }

  /// The output with these weights, and what is done while it is stored.
  func forward(_ input: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor
}

extension SampledConvolutionLayer {
  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    forward(input, Filter(weight), Finish(bias: bias?.value), context)
  }

  /// What products and samples cost: 7 other operations for each channel of a bilinear sample (4 products, 3 sums), with
  /// a mask 8.
  ///
  /// Backward, each channel of a sample is interpolated again, spread over four neighbours (4 MACs), and multiplied with
  /// each of them (4 MACs).
  func sampledCost(for input: FeatureShape, pass: Cost.Pass, masked: Bool) throws -> Cost {
    let output = try geometry.outputShape(for: input)
    let samples = output.pixels * geometry.taps * geometry.inputChannels
    var cost = combine.cost(terms: try geometry.terms(input), pass: pass)
    cost.adds += bias == nil ? 0 : output.count
    cost.otherOps += (masked ? 8 : 7) * samples
    if pass == .backward { cost.macs += 8 * samples }
    return cost
  }

  /// A scale cannot move into distances, and the reference does nothing but its definition.
  func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    guard combine == .multiply, algorithm != "reference" else {
      return epilogue.applied(to: forward(input, context), context)
    }
    let filter = Filter(weight, normalization: epilogue.normalization)
    return forward(input, filter, Finish(epilogue, filter, bias: bias?.value), context)
  }
}
