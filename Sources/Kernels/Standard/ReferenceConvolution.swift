import Compute
import Layers
import Tensors

/// The plain definition as an algorithm: slow, and right.
final class ReferenceConvolution: ConvolutionAlgorithm {
  let name = "reference"
  private let geometry: ConvolutionGeometry
  private let combine: Combination

  init(_ geometry: ConvolutionGeometry, _ combine: Combination) {
    self.geometry = geometry
    self.combine = combine
  }

  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let sums = combine.reference(
      Tensor64(x), Tensor64(filter.value), finish.bias.map { Tensor64($0) }, geometry)
    return Finish(residual: finish.residual, relu: finish.relu)
      .applied(to: Tensor(sums), threads: context.threads)
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, adding summand: Tensor?, _ context: Context
  ) -> Tensor {
    let dx = Tensor(combine.referenceGradients(Tensor64(x), Tensor64(weight.value), Tensor64(g), geometry).x)
    return Finish(residual: summand).applied(to: dx, threads: context.threads)
  }

  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor {
    Tensor(combine.referenceGradients(Tensor64(x), Tensor64(weight.value), Tensor64(g), geometry).w)
  }
}

extension Combination {
  /// The plain definition of an operator that combines in this way.
  func reference(_ x: Tensor64, _ w: Tensor64, _ bias: Tensor64?, _ geometry: ConvolutionGeometry) -> Tensor64
  {
    switch self {
    case .multiply: ConvolutionReference.forward(x, w, bias, geometry)
    case .adder: AdderReference.forward(x, w, bias, geometry)
    }
  }

  /// The plain definition of its gradients.
  func referenceGradients(
    _ x: Tensor64, _ w: Tensor64, _ g: Tensor64, _ geometry: ConvolutionGeometry
  ) -> (x: Tensor64, w: Tensor64) {
    switch self {
    case .multiply: ConvolutionReference.backward(x, w, g, geometry)
    case .adder: AdderReference.backward(x, w, g, geometry)
    }
  }

  /// How weights of an operator that combines in this way start.
  var initialization: Initialization {
    switch self {
    case .multiply: .residual
    case .adder: .normal(deviation: 1)
    }
  }

  /// How an optimiser treats the weights.
  var updateRule: UpdateRule {
    switch self {
    case .multiply: .plain
    case .adder: .adder
    }
  }

  /// The cost of `terms` combinations: an absolute difference and its sum are two additions.
  ///
  /// Backward, the gradients to input and weights are two products a term; AdderNet clamps on the way to the input, a
  /// difference and two comparisons a term.
  func cost(terms: Int, pass: Cost.Pass) -> Cost {
    switch (self, pass) {
    case (.multiply, .inference), (.multiply, .forward): Cost(macs: terms)
    case (.multiply, .backward): Cost(macs: 2 * terms)
    case (.adder, .inference), (.adder, .forward): Cost(adds: 2 * terms)
    case (.adder, .backward): Cost(macs: 2 * terms, adds: terms, otherOps: 2 * terms)
    }
  }
}
