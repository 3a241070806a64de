import Layers
import Tensors

extension ConvolutionLayer: SamplingLayer {
  package var hasLearnedPositions: Bool { sampling.hasLearnedPositions }

  package func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions? {
    sampling.learnedPositions(for: input, context)
  }
}
