import Compute
import Layers
import Tensors

/// Chooses an algorithm for each shape and pass: by a fixed rule, or by measurement where the context asks for it.
final class AutomaticConvolution: ConvolutionAlgorithm {
  let name = "auto"
  private let geometry: ConvolutionGeometry
  private let combine: Combination
  private let names: [String]
  private var made: [String: any ConvolutionAlgorithm] = [:]

  init(_ geometry: ConvolutionGeometry, _ combine: Combination, _ names: [String]) {
    self.geometry = geometry
    self.combine = combine
    self.names = names
  }

  /// The name of the algorithm that serves a pass over an input.
  func choice(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> String {
    remembered(input, pass, context) ?? AlgorithmRule.choice(geometry, combine, input, pass, from: names)
  }

  /// What was measured to be the fastest, unless a file of choices names what cannot serve here.
  private func remembered(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> String? {
    guard !context.training, let known = context.tuning?.choice(problem(input, pass, context)),
      names.contains(known), algorithm(known) != nil
    else { return nil }
    return known
  }

  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let input = FeatureShape(x)
    if let tuning = context.tuning, !context.training, remembered(input, .forward, context) == nil {
      let candidates = names.filter { $0 != "reference" && algorithm($0) != nil }
      let fastest = tuning.measureFastest(problem(input, .forward, context), of: candidates) {
        _ = algorithm($0)?.forward(x, filter, finish, context)
      }
      // What lost keeps no packed weights.
      for name in candidates where name != fastest { made[name] = nil }
    }
    return serving(input, .forward, context).forward(x, filter, finish, context)
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, adding summand: Tensor?, _ context: Context
  ) -> Tensor {
    serving(FeatureShape(x), .inputGradient, context).inputGradient(
      g, x, weight, adding: summand, context)
  }

  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor {
    serving(FeatureShape(x), .weightGradient, context).weightGradient(g, x, weight, context)
  }

  private func serving(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> any ConvolutionAlgorithm {
    algorithm(choice(input, pass, context)) ?? DirectConvolution(geometry, combine)
  }

  /// The algorithm called `name`, made once, or nil where it cannot serve this geometry.
  private func algorithm(_ name: String) -> (any ConvolutionAlgorithm)? {
    if let known = made[name] { return known }
    let algorithm = try? ConvolutionAlgorithms.make(name, from: names, geometry, combine)
    made[name] = algorithm
    return algorithm
  }

  private func problem(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> String {
    "\(geometry.problem(input)) \(combine) \(pass) \(context.threads) threads \(InstructionSet.built)"
  }
}
