import Compute
import Layers
import Tensors

/// Chooses the algorithm for each pass of a layer: the requested one, the cheapest by estimate, or, if the context
/// asks for measurements, the fastest.
final class AlgorithmChoice {
  private let operation: Operation
  private let algorithms: Algorithms
  /// The requested algorithm; nil for `auto`.
  let requested: (any Algorithm)?
  private var made: [String: any ConvolutionPasses] = [:]
  /// The choices by estimate, kept because layers ask at every step.
  private var chosen: [Place: any Algorithm] = [:]
  private struct Place: Hashable {
    let input: FeatureShape, pass: Pass
  }

  /// Refuses an unknown name, and an algorithm that refuses the operation.
  init(_ operation: Operation, _ algorithms: Algorithms, requested name: String?) throws {
    self.operation = operation
    self.algorithms = algorithms
    guard let name, name != "auto" else {
      requested = nil
      return
    }
    requested = algorithms.forward.first { $0.name == name }
    if let reason = refusal(of: name, for: nil) { throw WorkbenchError(reason) }
  }

  /// Why an algorithm cannot compute the output, for an input or for any.
  func refusal(of name: String, for input: FeatureShape?) -> String? {
    guard let algorithm = algorithms.forward.first(where: { $0.name == name }) else {
      let known = algorithms.forward.filter { $0.refusal(operation, .forward, input) == nil }
        .map(\.name).joined(separator: ", ")
      return "There is no algorithm ‘\(name)’ for this kernel; choose from auto, \(known)."
    }
    return algorithm.refusal(operation, .forward, input)
  }

  /// Whether an algorithm computes sums of small whole numbers exactly.
  func isExactOnIntegers(_ name: String) -> Bool {
    algorithms.forward.first { $0.name == name }?.isExactOnIntegers ?? false
  }

  /// Throws if the requested algorithm cannot compute the output for an input.
  func check(_ input: FeatureShape) throws {
    if let reason = requested?.refusal(operation, .forward, input) { throw WorkbenchError(reason) }
  }

  /// The algorithm of a pass over an input.
  func algorithm(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> any Algorithm {
    if let name = remembered(input, pass, context),
      let known = serving(input, pass).first(where: { $0.name == name })
    {
      return known
    }
    let place = Place(input: input, pass: pass)
    if let known = chosen[place] { return known }
    let choice = chosen(input, pass)
    chosen[place] = choice
    return choice
  }

  /// The requested one if it does not refuse, otherwise the one with the smallest estimate.
  private func chosen(_ input: FeatureShape, _ pass: Pass) -> any Algorithm {
    let serving = serving(input, pass)
    if let requested, serving.contains(where: { $0.name == requested.name }) { return requested }
    let estimates = serving.map { $0.nanoseconds(operation, pass, input) }
    return zip(serving, estimates).min { $0.1 < $1.1 }?.0 ?? Reference()
  }

  /// The code for a pass over an input, made once for each algorithm.
  func passes(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> any ConvolutionPasses {
    made(algorithm(input, pass, context))
  }

  /// The forward pass. If the context asks for tuning, all algorithms that can compute it are timed first.
  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let input = FeatureShape(x)
    if requested == nil, let tuning = context.tuning, !context.training,
      remembered(input, .forward, context) == nil
    {
      let candidates = serving(input, .forward).filter { !$0.isDefinition }
      let fastest = tuning.measureFastest(problem(input, .forward, context), of: candidates.map(\.name)) {
        name in
        guard let candidate = candidates.first(where: { $0.name == name }) else { return }
        _ = made(candidate).forward(x, plan, filter, epilogue, context)
      }
      // The slower ones keep no packed weights.
      for other in candidates where other.name != fastest { made[other.name] = nil }
    }
    return passes(input, .forward, context).forward(x, plan, filter, epilogue, context)
  }

  /// The code for inference by bands, if the algorithm has it. What is yet to be timed has not.
  func passesByBands(_ input: FeatureShape, _ context: Context) -> (any PassesByBands)? {
    guard context.tuning == nil || requested != nil || remembered(input, .forward, context) != nil else {
      return nil
    }
    return passes(input, .forward, context) as? any PassesByBands
  }

  private func serving(_ input: FeatureShape, _ pass: Pass) -> [any Algorithm] {
    algorithms[pass].filter { $0.refusal(operation, pass, input) == nil }
  }

  private func made(_ algorithm: any Algorithm) -> any ConvolutionPasses {
    if let known = made[algorithm.name] { return known }
    let passes = algorithm.make(operation)
    made[algorithm.name] = passes
    return passes
  }

  /// What was measured to be the fastest.
  private func remembered(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> String? {
    context.training || requested != nil ? nil : context.tuning?.choice(problem(input, pass, context))
  }

  private func problem(_ input: FeatureShape, _ pass: Pass, _ context: Context) -> String {
    let g = operation.geometry
    return
      "\(g.problem(input)) \(operation.combination.name) \(pass) \(context.threads) threads \(InstructionSet.built)"
  }
}
