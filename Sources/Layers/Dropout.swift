import Compute
import Tensors

/// In training, zeros instead of a share of the values, and the others scaled to keep the mean (Srivastava et al.,
/// 2014); in inference nothing.
///
/// The choice depends on the seed and the training's step alone, so that a training can be resumed.
public final class Dropout: Defined, TorchPrinted, HoldsDecisions {
  private let share: Double
  private let random: Random
  private var saved = Saved<Tensor>()

  /// A dropout of a share of the values.
  public init(_ share: Double, random: Random) {
    precondition((0..<1).contains(share))
    self.share = share
    self.random = random
  }

  public var printedArguments: String { "p=\(share), inplace=False" }

  public func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// In inference nothing is done; in training a product with the mask for each value, and the mask's random numbers,
  /// which are not counted.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    pass == .inference ? Cost() : Cost(otherOps: input.count, bytes: 12 * input.count)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    guard context.training else { return input }
    let mask = context.decided(by: self) { newMask(input.shape, step: context.step) }
    saved.keep(mask, context)
    return input.times(mask, threads: context.threads)
  }

  private func newMask(_ shape: [Int], step: Int) -> Tensor {
    var random = random.split("step \(step)")
    let factor = Float(1 / (1 - share))
    let kept = Tensor(uniform: shape, in: 0..<1, using: &random).values
    return Tensor(kept.map { Double($0) < share ? 0 : factor }, shape)
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    input.total(gradient.times(saved.take(), threads: context.threads), threads: context.threads)
  }

  /// The mean over all masks; or the first step's mask, if that is a decision to hold.
  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    guard let decisions = Decisions.ofDefinition else { return input }
    let mask = decisions.made(by: self) { newMask(input.shape, step: 0) }
    return Tensor64(zip(input.values, mask.values).map { $0 * Double($1) }, input.shape)
  }
}

/// In inference nothing is dropped.
extension Dropout: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    x
  }
}
