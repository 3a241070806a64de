import Layers
import Tensors

/// What a bottleneck saves compared with a plain 3×3 convolution between the same channels (He et al., 2015, figure 5).
package struct BottleneckSaving: Sendable {
  /// The block's name.
  package let block: String
  /// The size of its output.
  package let height: Int, width: Int
  /// Channels before, inside and after it.
  package let inputs: Int, inner: Int, outputs: Int
  /// The extent of its window.
  let window: Int
  /// The groups of its k×k convolution.
  package let groups: Int

  /// Cin · Cmid + k² · Cmid² / groups + Cmid · Cout
  package var parameters: Int {
    inputs * inner + window * window * inner * inner / groups + inner * outputs
  }
  /// k² · Cin · Cout
  package var plainParameters: Int { window * window * inputs * outputs }
  /// The same times the output's pixels: a block's first 1×1 really runs before the stride.
  package var macs: Int { height * width * parameters }
  /// The same times the output's pixels.
  package var plainMACs: Int { height * width * plainParameters }
}

extension Network {
  /// What each bottleneck saves; empty if the blocks are basic ones.
  package func bottleneckSavings(for input: FeatureShape) throws -> [BottleneckSaving] {
    guard let description = model.residual, description.block == .bottleneck else { return [] }
    let outputs = Dictionary(
      try summaries(for: input).map { ($0.name, $0.output) }, uniquingKeysWith: { $1 })
    var savings: [BottleneckSaving] = [], channels = description.stemWidth
    for (number, stage) in zip(1..., description.stages) {
      let out = stage.width * description.block.expansion
      for block in 0..<stage.count {
        let name = "layer\(number).\(block)"
        guard let shape = outputs["\(name).\(Residual.addition)"] else { continue }
        savings.append(
          BottleneckSaving(
            block: name, height: shape.height, width: shape.width, inputs: channels,
            inner: stage.width * description.innerWidth.numerator / description.innerWidth.denominator,
            outputs: out, window: description.window, groups: description.groups))
        channels = out
      }
    }
    return savings
  }
}
