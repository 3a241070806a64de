import Layers
import Tensors

extension ConvolutionLayer: SamplingLayer {
  public var hasLearnedPositions: Bool { sampling.hasLearnedPositions }

  public func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions? {
    sampling.learnedPositions(for: input, context)
  }
}
