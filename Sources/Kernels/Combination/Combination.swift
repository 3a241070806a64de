import Compute
import Layers
import Tensors

/// How an operator combines what it reads with its weights: the second of its four answers.
///
/// `y[p, o] = bias[o] + reduce over taps t, channels c of term(x[t, c], w[t, c, o])`; outside the image x is 0.
///
/// The definition in double precision follows from ``term(_:_:)``, ``derivatives(_:_:)`` and ``reduction`` alone.
/// Combinations with an ``engine`` run on the fast algorithms; the others run on `reference`.
public protocol Combination: Sendable {
  /// Its name, as in `deformable:combine=adder`.
  var name: String { get }
  /// The term as a formula of x and w, for help texts.
  var formula: String { get }
  /// How the terms of an output become one value.
  var reduction: Reduction { get }
  /// One term.
  func term(_ x: Double, _ w: Double) -> Double
  /// The factors that turn the gradient to a term into the gradients to x and to w.
  func derivatives(_ x: Double, _ w: Double) -> (x: Double, w: Double)
  /// Whether `derivatives` deliberately differ from those of `term`, as AdderNet's do.
  var hasOwnGradients: Bool { get }
  /// The derivatives with the decisions, such as a clamp, taken at x₀ and w₀; smooth in x and w. Nil, the default, if
  /// they are not known: studies of second derivatives then refuse the layer.
  func derivatives(_ x: Double, _ w: Double, decidedAt x0: Double, _ w0: Double) -> (x: Double, w: Double)?
  /// Whether the term is x · w. Then zeros add nothing, a factor on the output can be multiplied into the weights,
  /// and algorithms that rely on linearity (Winograd, FFT) are valid.
  var isProduct: Bool { get }
  /// The rule for initial weights.
  var initialization: Initialization { get }
  /// How an optimiser uses the weights' gradients.
  var updateRule: UpdateRule { get }
  /// The cost of `terms` terms in a pass; backward, of the gradients to x and to w.
  func cost(terms: Int, pass: Cost.Pass) -> Cost
  /// How the engine computes it, or nil if only the definition can.
  var engine: CombinationEngine? { get }
  /// Its part of the name that PyTorch would print: `Conv` in `Conv2d`.
  var printedStem: String { get }

  /// Folds the terms of one x into the sums (or maxima) of neighbouring outputs. The default calls `term`. It is a
  /// requirement only so that the compiler specialises the loop for each combination.
  func fold(
    _ x: Double, _ w: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, count: Int)

  /// The derivatives of the terms of one x and neighbouring weights, with the decisions taken at x₀ and w₀. Like
  /// `fold`, it has a default that uses the single ones.
  func slopes(
    _ x: Double, _ w: UnsafePointer<Float>, decidedAt x0: Double, _ w0: UnsafePointer<Float>,
    x dx: UnsafeMutablePointer<Double>, w dw: UnsafeMutablePointer<Double>, count: Int)

  /// The transpose of `fold`: adds to the gradients of the weights and returns the gradient to x. Like `fold`, it has
  /// a default that uses `derivatives`.
  func unfold(
    _ x: Double, _ w: UnsafePointer<Double>, _ g: UnsafePointer<Double>,
    into dw: UnsafeMutablePointer<Double>, count: Int
  ) -> Double
}

/// How the terms of an output become one value.
public enum Reduction: Sendable {
  /// Their sum.
  case sum
  /// The largest of them; the gradient goes to the first that attains it.
  case maximum

  /// The initial value of an output.
  var start: Double { self == .sum ? 0 : -.infinity }

  /// Adds one term.
  @inline(__always)
  func reduce(_ value: Double, _ term: Double) -> Double {
    self == .sum ? value + term : max(value, term)
  }
}

/// What the engine needs to know about a combination.
public struct CombinationEngine: Sendable {
  /// What a microkernel does with each x and w.
  public let step: TileStep
  /// How the gradients are computed.
  public let gradients: Gradients

  /// The kinds of backward passes that the engine has.
  public enum Gradients: Sendable {
    /// dx = Σ w · g and dw = Σ x · g: two more products.
    case products
    /// AdderNet's: dx = Σ clamp(w − x, −1, 1) · g and dw = Σ (x − w) · g.
    case clampedDifferences
    /// Those of squared distances: dx = 2 · Σ (w − x) · g and dw = 2 · Σ (x − w) · g.
    case differences
    /// All of g goes to the x and the w of the largest term.
    case largestTerm

    /// For sums of differences times g: the limit to which differences for x are clamped, and a factor on both
    /// gradients; nil for others.
    var ofDifferences: (limit: Float, factor: Float)? {
      switch self {
      case .clampedDifferences: (1, 1)
      case .differences: (.infinity, 2)
      case .products, .largestTerm: nil
      }
    }
  }

  /// An engine's step and its gradients.
  public init(step: TileStep, gradients: Gradients) {
    self.step = step
    self.gradients = gradients
  }
}

/// The combinations that kernels offer as `combine=NAME`.
public enum Combinations {
  /// All of them, the product first.
  public static let all: [any Combination] = [
    Product(), AbsoluteDifference(), SquaredDifference(), MaxPlus(),
  ]

  /// The one called `name`.
  public static func named(_ name: String) -> (any Combination)? { all.first { $0.name == name } }
}

extension Combination {
  public var hasOwnGradients: Bool { false }
  public func derivatives(_ x: Double, _ w: Double, decidedAt x0: Double, _ w0: Double) -> (
    x: Double, w: Double
  )? { nil }
  public var isProduct: Bool { false }
  public var updateRule: UpdateRule { .plain }
  public var engine: CombinationEngine? { nil }

  public func fold(
    _ x: Double, _ w: UnsafePointer<Double>, into y: UnsafeMutablePointer<Double>, count: Int
  ) {
    let reduction = reduction
    for output in 0..<count { y[output] = reduction.reduce(y[output], term(x, w[output])) }
  }

  public func slopes(
    _ x: Double, _ w: UnsafePointer<Float>, decidedAt x0: Double, _ w0: UnsafePointer<Float>,
    x dx: UnsafeMutablePointer<Double>, w dw: UnsafeMutablePointer<Double>, count: Int
  ) {
    for output in 0..<count {
      let slopes = derivatives(x, Double(w[output]), decidedAt: x0, Double(w0[output]))
      (dx[output], dw[output]) = slopes ?? (.nan, .nan)
    }
  }

  public func unfold(
    _ x: Double, _ w: UnsafePointer<Double>, _ g: UnsafePointer<Double>,
    into dw: UnsafeMutablePointer<Double>, count: Int
  ) -> Double {
    var dx = 0.0
    for output in 0..<count {
      let factors = derivatives(x, w[output])
      dx += g[output] * factors.x
      dw[output] += g[output] * factors.w
    }
    return dx
  }
}
