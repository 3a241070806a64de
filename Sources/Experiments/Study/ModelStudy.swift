import Kernels
import Layers
import Learning
import Networks
import Tensors

/// Times whole networks in turns: inference, or training steps.
package struct ModelStudy {
  /// What is timed.
  package struct Plan: Sendable {
    /// The kernels, `standard` first, with which all are compared.
    package var kernels: [KernelChoice]
    /// The network.
    package var model: any ModelDescription
    /// The algorithm of the replaced convolutions, or nil for the choice by shape.
    package var algorithm: String?
    /// The images.
    package var input: FeatureShape
    /// Forward is inference; training is a whole step: forward, loss, backward, update.
    package var pass: TimedPass
    /// Threads of each layer.
    package var threads: Int
    /// The approximate time for all rounds together, in seconds.
    package var seconds: Double
    /// Measurements by which algorithms are chosen; nil for estimates.
    package var tuning: AlgorithmTuning?

    /// A plan.
    package init(
      kernels: [KernelChoice], model: any ModelDescription, algorithm: String?, input: FeatureShape,
      pass: TimedPass, threads: Int, seconds: Double,
      tuning: AlgorithmTuning?
    ) {
      self.kernels = kernels
      self.model = model
      self.algorithm = algorithm
      self.input = input
      self.pass = pass
      self.threads = threads
      self.seconds = seconds
      self.tuning = tuning
    }
  }

  /// A row for each kernel.
  package let rows: [OperatorRow]
  /// For each kernel with a network, its layers in inference, each with its median time.
  package let profiles: [(kernel: String, layers: [LayerProfile.Entry])]

  /// Runs the study.
  ///
  /// - Parameter detail: whether to note the time of each layer, in passes of their own.
  package init(_ plan: Plan, detail: Bool) throws {
    let key =
      "\(plan.model.name) \(plan.input.batch)x\(plan.input.channels)x\(plan.input.height)x\(plan.input.width)"
    let inference = Context(training: false, threads: plan.threads, tuning: plan.tuning)
    try Tensor.checkSize(plan.input.extents, "The input")
    var random = Random(seed: 0)
    let images = Tensor(normal: plan.input.extents, using: &random)
    var networks: [(KernelChoice, Network)] = [], refusals: [OperatorRow] = []
    for choice in plan.kernels {
      do {
        let network = try Network(
          plan.model, kernel: choice, standard: plan.kernels[0], algorithm: plan.algorithm, seed: 0)
        _ = try network.outputShape(for: plan.input)
        networks.append((choice, network))
      } catch let error as WorkbenchError {
        refusals.append(
          OperatorRow(
            choice.item, plan.algorithm ?? "auto", plan.pass, key, OperatorPlace(plan.input),
            refusal: .refused(error.description)))
      }
    }
    let timing = try PairedTiming(
      budget: plan.seconds, networks.map { Self.contestant($0.1, plan, images, inference) })
    rows =
      try networks.enumerated().map { index, entry in
        let (choice, network) = entry
        return OperatorRow(
          choice.item, plan.algorithm ?? "auto", plan.pass, key, OperatorPlace(plan.input),
          cost: try plan.pass.cost(of: network, plan.input), times: timing.times(index))
      } + refusals
    guard detail else {
      profiles = []
      return
    }
    profiles = zip(networks, try Network.profiles(networks.map(\.1), images, inference))
      .map { ($0.0.item, $1) }
  }

  private static func contestant(
    _ network: Network, _ plan: Plan, _ images: Tensor, _ inference: Context
  ) -> (prepare: () -> Void, run: () -> Void) {
    let training = Context(training: true, threads: plan.threads)
    // A label for each image, or for each pixel of a network that classifies pixels; a value in a regression.
    let count = plan.model.isDense ? plan.input.pixels : plan.input.batch, classes = plan.model.classes
    let targets: Targets =
      classes == 1 ? .values(Array(repeating: 0, count: count)) : .labels((0..<count).map { $0 % classes })
    func forward() -> BatchLoss { targets.loss(network.forward(images, training)) }
    switch plan.pass {
    case .forward: return ({}, { _ = network.forward(images, inference) })
    case .backward:
      // Only the timed part differs: the forward pass is preparation.
      var gradient = Tensor(repeating: 0, [1])
      return (
        { gradient = forward().gradient }, { _ = network.backward(gradient, input: .unneeded, training) }
      )
    case .training:
      let optimizer = SGD(network.parameters.map(\.parameter), .init(momentum: 0.9, weightDecay: 1e-4))
      return (
        {},
        {
          _ = network.backward(forward().gradient, input: .unneeded, training)
          optimizer.step(rate: 1e-4)
        }
      )
    }
  }
}
