import Compute
import Layers
import Tensors

/// The definition as an algorithm: slow, but the reference for all others.
struct Reference: Algorithm {
  let name = DirectOrReference.reference.rawValue
  let isDefinition = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? { nil }
  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double { .infinity }
  func make(_ operation: Operation) -> any ConvolutionPasses { ReferencePasses(operation) }
}

/// The passes of `reference`.
final class ReferencePasses: ConvolutionPasses {
  private let operation: Operation

  init(_ operation: Operation) { self.operation = operation }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let sums = definition(plan).forward(
      Tensor64(x), Tensor64(filter.value), epilogue.bias.map { Tensor64($0) })
    var rest = epilogue
    rest.bias = nil
    return rest.applied(to: Tensor(sums), context)
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    let found = definition(plan).backward(Tensor64(x), Tensor64(weight.value), Tensor64(g))
    plan.take(found.positions)
    return Epilogue(residual: summand).applied(to: Tensor(found.x), context)
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    Tensor(definition(plan).backward(Tensor64(x), Tensor64(weight.value), Tensor64(g)).w)
  }

  private func definition(_ plan: any SamplingPlan) -> Definition {
    Definition(operation.geometry, operation.combination, plan.positions)
  }
}
