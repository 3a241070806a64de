import Tensors

/// What the layers of a network decide in a forward pass: which values a ReLU lets through, which value of a window
/// is the largest, between which pixels a sample lies.
///
/// For fixed decisions a network is a smooth function of its weights. Studies that need its second derivatives, as
/// autograd takes them, let a first pass decide and repeat its decisions in all further passes, so that there is no
/// kink between them. Not safe for concurrent use.
public final class Decisions: @unchecked Sendable {
  /// Where the definition in double precision (`Layer.reference`) stores its decisions: then a value within rounding
  /// of zero is put on its true side.
  @TaskLocal public static var ofDefinition: Decisions?

  private var held: [ObjectIdentifier: [Any]] = [:]
  private var next: [ObjectIdentifier: Int] = [:]

  /// No decisions: the first pass makes them.
  public init() {}

  /// Starts a forward pass.
  public func startPass() { next = [:] }

  /// The result of `decide` when the layer first came to this point of a pass.
  public func made<Decision>(by layer: AnyObject, _ decide: () -> Decision) -> Decision {
    let key = ObjectIdentifier(layer), index = next[key, default: 0]
    next[key] = index + 1
    if let known = held[key], index < known.count {
      guard let decision = known[index] as? Decision else {
        preconditionFailure("a layer's definition decides in another form than its forward pass")
      }
      return decision
    }
    let decision = decide()
    held[key, default: []].append(decision)
    return decision
  }
}

extension Context {
  /// The result of `decide`; if decisions are held, its result in the first pass.
  public func decided<Decision>(by layer: AnyObject, _ decide: () -> Decision) -> Decision {
    decisions?.made(by: layer, decide) ?? decide()
  }
}

/// A layer that takes part in `Context.decisions`, as every layer of this package does but the signs of binary inputs.
///
/// It promises two things. Wherever its output or its gradients have a kink or a jump, it takes the decision from
/// `Context.decided`. And with its decisions held, its gradients are the derivatives of its output, to the first
/// order around the point where they were made. Its definition may store the same decisions, in the same form, in
/// `Decisions.ofDefinition`. Studies of second derivatives refuse all other layers.
public protocol HoldsDecisions: Layer {
  /// Whether it keeps this promise, if that depends on how it was made.
  var holdsDecisions: Bool { get }
  /// The layers that it runs; by default its children.
  var parts: [any Layer] { get }
}

extension HoldsDecisions {
  public var holdsDecisions: Bool { true }
  public var parts: [any Layer] { children.map(\.layer) }
}

extension Layer {
  /// The first of this layer and all that it runs that does not promise to hold its decisions; nil if all do.
  public var firstWithoutHeldDecisions: (any Layer)? {
    guard let layer = self as? any HoldsDecisions, layer.holdsDecisions else { return self }
    return layer.parts.lazy.compactMap(\.firstWithoutHeldDecisions).first
  }
}

extension Tensor {
  /// 1 where a value is above zero, else 0.
  public static func signs(_ values: [some BinaryFloatingPoint], _ shape: [Int]) -> Tensor {
    Tensor(values.map { $0 > 0 ? 1 : 0 }, shape)
  }
}
