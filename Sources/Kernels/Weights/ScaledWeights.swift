import Layers
import Tensors

/// Learned weights times a learned scale for each output.
///
/// It is its own definition, because it computes in double precision, as ``TransformedWeights`` does.
final class ScaledWeights: Weights {
  private let learned: Parameter, scale: Parameter
  private let made: Parameter
  private var madeOf: [Int] = []

  /// Weights under the name `weight`, all scales under `scale`.
  init(_ weights: Tensor, scale value: Float) {
    learned = Parameter(weights, layout: .convolution)
    scale = Parameter(Tensor(repeating: value, [weights.shape[3]]), layout: .plain)
    made = Parameter(weights, layout: .convolution)
  }

  var ownParameters: [NamedParameter] { [NamedParameter("weight", learned), NamedParameter("scale", scale)] }

  var filter: Parameter {
    let versions = [learned.version, scale.version]
    if madeOf != versions {
      made.value = Tensor(definition(values))
      madeOf = versions
    }
    return made
  }

  private var values: [Tensor64] { [Tensor64(learned.value), Tensor64(scale.value)] }

  func backward(_ gradient: Tensor) {
    let found = definitionGradients(values, Tensor64(gradient))
    learned.gradient = Tensor(found[0])
    scale.gradient = Tensor(found[1])
  }

  func definition(_ parameters: [Tensor64]) -> Tensor64 { scaled(parameters[0], parameters[1]) }

  func definitionGradients(_ parameters: [Tensor64], _ gradient: Tensor64) -> [Tensor64] {
    var toScale = Tensor64(repeating: 0, parameters[1].shape)
    let outputs = toScale.values.count
    for (index, value) in (parameters[0] * gradient).values.enumerated() {
      toScale.values[index % outputs] += value
    }
    return [scaled(gradient, parameters[1]), toScale]
  }

  private func scaled(_ w: Tensor64, _ scale: Tensor64) -> Tensor64 {
    let outputs = scale.values.count
    return Tensor64(w.values.enumerated().map { $1 * scale.values[$0 % outputs] }, w.shape)
  }

  var holdsDecisions: Bool { true }

  /// In training, a product for each weight; backward, one for each weight and one that is added to a scale.
  func cost(_ terms: Cost, count: Int, outputs: Int, pass: Cost.Pass) -> Cost {
    let count = learned.value.count
    return switch pass {
    case .inference: terms
    case .forward: terms + Cost(otherOps: count)
    case .backward: terms + Cost(macs: count, otherOps: count)
    }
  }
}
