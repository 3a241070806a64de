import Layers
import Tensors

/// A network with what its proxies are computed on.
struct ProxyProbe {
  let network: any Layer
  let batches: [Minibatch]
  let threads: Int
  /// What the layers decide on the first minibatch, by the definition in double precision; nil where some layer's
  /// decisions cannot be held.
  ///
  /// Of a million ReLUs in single precision, rounding carries some inputs over zero. One of them can change a gradient by a
  /// thousandth.
  let decisions: Decisions?

  /// - Parameter decides: whether decisions are asked for. They are made in single precision where double would take
  ///   more than about a minute.
  init(network: any Layer, batches: [Minibatch], threads: Int, decides: Bool = false) {
    self.network = network
    self.batches = batches
    self.threads = threads
    guard decides, network.firstWithoutHeldDecisions == nil, let images = batches.first?.images else {
      decisions = nil
      return
    }
    let decisions = Decisions()
    self.decisions = decisions
    let cost = try? network.cost(for: FeatureShape(images), pass: .inference)
    guard let cost, cost.macs + cost.adds + cost.otherOps < 10_000_000_000,
      network.firstWithoutDefinition == nil
    else { return }
    Decisions.$ofDefinition.withValue(decisions) {
      _ = network.definition(
        Tensor64(images), network.parameters.map { Tensor64($0.parameter.value) }, training: true)
    }
  }

  /// The context of a pass in training.
  var context: Context { Context(training: true, threads: threads) }

  /// The first minibatch: what all proxies but ZiCo look at.
  var batch: Minibatch { batches[0] }

  /// The weights: parameters of two or more axes.
  var weights: [Parameter] { network.weights }

  /// The context of a pass over the first minibatch that holds its decisions, where they can be.
  var deciding: Context {
    var context = context
    decisions?.startPass()
    context.decisions = decisions
    return context
  }

  /// One forward and one backward pass of the mean cross-entropy: sets the parameters' gradients.
  @discardableResult
  func differentiate(_ batch: Minibatch, _ context: Context, observer: Observer? = nil) -> Double {
    var context = context
    context.observer = observer
    let result = batch.targets.loss(network.forward(batch.images, context))
    _ = network.backward(result.gradient, input: .unneeded, context)
    return result.loss
  }
}

extension Layer {
  /// The parameters of two or more axes: no biases, no normalisations.
  var weights: [Parameter] { namedWeights.map(\.parameter) }

  /// The same with their names.
  var namedWeights: [NamedParameter] { parameters.filter { $0.parameter.value.shape.count > 1 } }

  /// Runs a study of the network, and leaves its parameters and running statistics as they were.
  func unchanged<Result>(_ study: () throws -> Result) rethrows -> Result {
    let state = state.map(\.parameter), values = state.map(\.value)
    defer {
      for (parameter, value) in zip(state, values) {
        parameter.value = value
        parameter.gradient = nil
      }
    }
    return try study()
  }
}

extension Tensor {
  /// The sum over all elements of a function of each, in double precision.
  func sum(_ function: (Double) -> Double = { $0 }) -> Double {
    withPointer { x in (0..<count).reduce(0.0) { $0 + function(Double(x[$1])) } }
  }

  /// The sum of the products with another tensor's elements, in double precision.
  func dot(_ other: Tensor) -> Double {
    withPointers(self, other) { x, y in (0..<count).reduce(0.0) { $0 + Double(x[$1]) * Double(y[$1]) } }
  }
}
