import Layers
import Tensors

/// Learned weights that are transformed before use.
///
/// The filter is computed again when the learned weights have changed. The transform is its own definition: it
/// computes in double precision, which costs little compared with the convolution.
public final class TransformedWeights: Weights {
  private let learned: Parameter
  private let transform: any FilterTransform
  private let made: Parameter
  private var madeOf: Int?
  /// The weights at which a straight-through estimator's decisions were made, where they are held.
  private var held: Tensor?

  /// Weights under the name `weight`.
  public init(_ learned: Parameter, _ transform: any FilterTransform) {
    self.learned = learned
    self.transform = transform
    made = Parameter(learned.value, layout: learned.layout)
  }

  public var ownParameters: [NamedParameter] { [NamedParameter("weight", learned)] }

  public var filter: Parameter {
    if madeOf != learned.version {
      made.value = Tensor(makeFilter())
      madeOf = learned.version
    }
    return made
  }

  /// With decisions held, a quantised filter is the function whose slopes the estimator gives.
  private func makeFilter() -> Tensor64 {
    let w = Tensor64(learned.value)
    guard let held, let estimator else { return transform.filter(w) }
    let origin = Tensor64(held)
    return estimator.filter(origin) + estimator.slopes(origin) * (w + origin.map { -$0 })
  }

  private var estimator: (any StraightThrough)? { transform as? any StraightThrough }

  public func prepare(_ context: Context) {
    guard estimator != nil, held != nil || context.decisions != nil else { return }
    held = context.decisions?.made(by: self) { learned.value }
    madeOf = nil
  }

  public func backward(_ gradient: Tensor) {
    learned.gradient = Tensor(transform.gradient(Tensor64(held ?? learned.value), Tensor64(gradient)))
  }

  public func definition(_ parameters: [Tensor64]) -> Tensor64 {
    if estimator != nil { _ = Decisions.ofDefinition?.made(by: self) { Tensor(parameters[0]) } }
    return transform.filter(parameters[0])
  }

  public func definitionGradients(_ parameters: [Tensor64], _ gradient: Tensor64) -> [Tensor64] {
    [transform.gradient(parameters[0], gradient)]
  }

  public var holdsDecisions: Bool { true }
  public var hasOwnGradients: Bool { estimator != nil }
  public var isExactOnIntegers: Bool { false }
  public var printedPrefix: String { transform.printedPrefix }

  public func cost(_ terms: Cost, count: Int, outputs: Int, pass: Cost.Pass) -> Cost {
    let products = transform.productCost(count: count, outputs: outputs, pass: pass)
    if pass == .inference { return products }
    return products + transform.makingCost(learned.value.shape, backward: pass == .backward)
  }
}
