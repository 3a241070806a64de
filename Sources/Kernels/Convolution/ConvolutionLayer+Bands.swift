import Layers
import Tensors

/// The passes of an algorithm that can compute some rows of the output in inference.
protocol PassesByBands: ConvolutionPasses {
  /// What computes output lines of an input of this shape.
  func bands(
    _ input: FeatureShape, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> BandComputation
}

extension ConvolutionLayer: ComputesBands {
  package var mayComputeBands: Bool { sampling.isRegularGrid && combination.isProduct }

  package func bandPasses(
    for input: FeatureShape, _ epilogue: Epilogue, _ context: Context
  ) -> [any BandPass]? {
    guard mayComputeBands, let passes = choice.passesByBands(input, context) else { return nil }
    return [
      ConvolutionBands(
        layer: self, passes: passes, input: input, output: geometry.checkedOutput(input), epilogue: epilogue,
        context: context)
    ]
  }
}

/// A convolution by bands.
private struct ConvolutionBands: BandPass {
  let layer: ConvolutionLayer
  let passes: any PassesByBands
  let input: FeatureShape, output: FeatureShape
  let epilogue: Epilogue
  let context: Context

  private var geometry: ConvolutionGeometry { layer.geometry }

  var weights: Int { geometry.weightShape.reduce(1, *) }

  func inputLines(for lines: Range<Int>) -> Range<Int> {
    let image = lines.lowerBound / output.height, first = image * input.height
    let top = (lines.lowerBound - image * output.height) * geometry.stride.height - geometry.padding.top
    let lower = min(max(top, 0), input.height)
    return first + lower..<first + max(lower, min(top + inputLines(count: lines.count), input.height))
  }

  func inputLines(count: Int) -> Int {
    (count - 1) * geometry.stride.height + geometry.dilation.height * (geometry.kernel.height - 1) + 1
  }

  func computation() -> BandComputation {
    layer.weights.prepare(context)
    let filter = Filter(layer.weight, normalization: epilogue.normalization)
    return passes.bands(input, filter, epilogue.folded(into: filter, bias: layer.bias?.value), context)
  }
}
