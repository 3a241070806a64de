import Compute
import Foundation
import Tensors

/// Batch normalisation over the pixels and images of each channel (Ioffe and Szegedy, 2015, arXiv:1502.03167).
///
/// Defaults are PyTorch's: ε = 1e-5, momentum 0.1, running variance unbiased.
public final class BatchNormalization: Defined, TorchPrinted, HoldsDecisions {
  /// γ, one for each channel.
  public let weight: Parameter
  /// β, one for each channel.
  public let bias: Parameter
  /// The running mean, used in inference.
  public let runningMean: Parameter
  /// The running unbiased variance, used in inference.
  public let runningVariance: Parameter
  /// Added to the variance.
  public let epsilon: Double
  /// The share of the newest batch in the running statistics.
  public let momentum: Double

  private struct Kept {
    let input: Tensor
    let mean: [Float], inverseDeviation: [Float]
    let function: NormalizationPasses.Affine
    let kind: Context.Normalization
  }
  private var saved = Saved<Kept>()
  /// What `affine` was, as long as `version` stays.
  private var known: (version: Int, affine: (scale: [Float], shift: [Float]))?
  /// The number of values of each channel in the last training batch; the unbiased running variance divides by one
  /// less.
  package private(set) var valuesPerChannel = 0

  /// A normalisation of `channels` channels.
  public init(channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1) {
    weight = Parameter(Tensor(repeating: 1, [channels]), layout: .plain)
    bias = Parameter(Tensor(repeating: 0, [channels]), layout: .plain, role: .bias)
    runningMean = Parameter(Tensor(repeating: 0, [channels]), layout: .plain, role: .buffer)
    runningVariance = Parameter(Tensor(repeating: 1, [channels]), layout: .plain, role: .buffer)
    self.epsilon = epsilon
    self.momentum = momentum
  }

  public var ownState: [NamedParameter] {
    [
      .init("weight", weight), .init("bias", bias), .init("running_mean", runningMean),
      .init("running_var", runningVariance),
    ]
  }
  public var isExactOnIntegers: Bool { false }

  public var printedName: String { "BatchNorm2d" }

  public var printedArguments: String {
    "\(weight.value.count), eps=\(Self.printed(epsilon)), momentum=\(momentum), affine=True, bias=True, track_running_stats=True"
  }

  /// As Python writes it: 1e-05, not 1e-5.
  private static func printed(_ value: Double) -> String {
    "\(value)".replacingOccurrences(of: "e-([0-9])$", with: "e-0$1", options: .regularExpression)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.channels == weight.value.count else {
      throw WorkbenchError(
        "Batch normalisation of \(weight.value.count) channels cannot take \(input.channels); change the layer before it."
      )
    }
    return input
  }

  /// One scale and one shift for each element, in training after its mean and variance. Backward: the sums of g and of
  /// g · (x − mean), then a·g + b·x + c.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count
    var cost: Cost
    switch pass {
    case .inference: cost = Cost(otherOps: 2 * count, bytes: 8 * count)
    case .forward: cost = Cost(macs: count, adds: 2 * count, otherOps: 2 * count, bytes: 8 * count)
    case .backward: cost = Cost(macs: 3 * count, adds: 2 * count, bytes: 12 * count)
    }
    cost.parameters = 2 * input.channels
    cost.bytes += 8 * input.channels
    return cost
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    forward(input, relu: false, context)
  }

  /// The forward pass together with the ReLU after it; the backward pass then includes the ReLU's.
  func forward(_ input: Tensor, relu: Bool, _ context: Context) -> Tensor {
    let channels = weight.value.count
    guard context.training else {
      let (scale, shift) = affine
      return applied(.init(scale: scale, shift: shift, relu: relu), to: input, context)
    }
    guard context.normalization != .none else {
      let (zeros, ones) = ([Float](repeating: 0, count: channels), [Float](repeating: 1, count: channels))
      let function = NormalizationPasses.Affine(scale: ones, shift: zeros, relu: relu)
      saved.keep(
        Kept(input: input, mean: zeros, inverseDeviation: ones, function: function, kind: .none), context)
      return relu ? applied(function, to: input, context) : input
    }
    return applied(trainingFunction(of: input, relu: relu, context), to: input, context)
  }

  /// In training, the function that the forward pass applies, from the batch's statistics. Keeps what the backward
  /// pass needs.
  func trainingFunction(of input: Tensor, relu: Bool, _ context: Context) -> NormalizationPasses.Affine {
    let channels = weight.value.count, rows = input.count / channels
    let (mean, variance) = input.withPointer {
      NormalizationPasses.moments($0, rows: rows, channels: channels, threads: context.threads)
    }
    updateRunning(mean, variance, rows: rows)
    let (scale, shift) = affine(mean, variance)
    let function = NormalizationPasses.Affine(scale: scale, shift: shift, relu: relu)
    saved.keep(
      Kept(
        input: input, mean: mean.map(Float.init),
        inverseDeviation: variance.map { Float(1 / ($0 + epsilon).squareRoot()) }, function: function,
        kind: context.normalization), context)
    return function
  }

  /// In inference, y = scale · x + shift.
  public var affine: (scale: [Float], shift: [Float]) {
    if let known, known.version == version { return known.affine }
    let affine = affine(
      runningMean.value.values.map(Double.init), runningVariance.value.values.map(Double.init))
    known = (version, affine)
    return affine
  }

  /// Counts the changes of everything that `affine` is made from.
  var version: Int { weight.version &+ bias.version &+ runningMean.version &+ runningVariance.version }

  private func affine(_ mean: [Double], _ variance: [Double]) -> (scale: [Float], shift: [Float]) {
    let scale = zip(weight.value.values, variance).map { Double($0) / ($1 + epsilon).squareRoot() }
    let shift = zip(bias.value.values, zip(mean, scale)).map { Float(Double($0) - $1.0 * $1.1) }
    return (scale.map(Float.init), shift)
  }

  private func applied(_ function: NormalizationPasses.Affine, to input: Tensor, _ context: Context) -> Tensor
  {
    var result = Tensor(uninitialized: input.shape)
    input.withPointer { x in
      result.withMutablePointer {
        NormalizationPasses.affine(
          x, $0, function, rows: input.count / function.scale.count, threads: context.threads)
      }
    }
    return result
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    input.total(inputGradient(gradient, saved.take(), context), threads: context.threads)
  }

  private func inputGradient(_ gradient: consuming Tensor, _ saved: Kept, _ context: Context) -> Tensor {
    let channels = weight.value.count, rows = gradient.count / channels
    guard saved.kind != .none else {
      return inputGradient(gradient, saved, a: saved.function.scale, context)
    }
    let sums = withPointers(saved.input, gradient) { x, g in
      NormalizationPasses.gradientSums(
        x, g, mean: saved.mean, inverseDeviation: saved.inverseDeviation, saved.function, rows: rows,
        threads: context.threads)
    }
    weight.gradient = Tensor(sums.scale.map(Float.init), [channels])
    bias.gradient = Tensor(sums.shift.map(Float.init), [channels])
    guard saved.kind == .batch else {
      return inputGradient(gradient, saved, a: saved.function.scale, context)
    }
    // dx = γ·s·(g − Σg/n − x̂·Σ(g·x̂)/n), with x̂ = (x − mean)·s, as a·g + b·x + c.
    let values = weight.value.values
    let a = (0..<channels).map { Double(values[$0]) * Double(saved.inverseDeviation[$0]) }
    let b = (0..<channels).map {
      -a[$0] * sums.scale[$0] / Double(rows) * Double(saved.inverseDeviation[$0])
    }
    let c = (0..<channels).map { -a[$0] * sums.shift[$0] / Double(rows) - b[$0] * Double(saved.mean[$0]) }
    return inputGradient(
      gradient, saved, a: a.map(Float.init), b: b.map(Float.init), c: c.map(Float.init), context)
  }

  /// dx = a·g + b·x + c, with zeros for b and c by default: the gradient where statistics are constants.
  private func inputGradient(
    _ gradient: consuming Tensor, _ saved: Kept, a: [Float], b: [Float]? = nil, c: [Float]? = nil,
    _ context: Context
  ) -> Tensor {
    let zeros = [Float](repeating: 0, count: a.count), rows = gradient.count / a.count
    return gradient.mapped { g, dx in
      saved.input.withPointer {
        NormalizationPasses.inputGradient(
          $0, g, dx, a: a, b: b ?? zeros, c: c ?? zeros, saved.function, rows: rows, threads: context.threads)
      }
    }
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let channels = input.shape[3], count = Double(input.values.count / channels)
    var mean = Tensor64(runningMean.value).values, variance = Tensor64(runningVariance.value).values
    if training {
      mean = Array(repeating: 0, count: channels)
      variance = mean
      for (index, x) in input.values.enumerated() { mean[index % channels] += x / count }
      for (index, x) in input.values.enumerated() {
        let distance = x - mean[index % channels]
        variance[index % channels] += distance * distance / count
      }
    }
    var output = input
    for (index, x) in input.values.enumerated() {
      let channel = index % channels
      let normal = (x - mean[channel]) / (variance[channel] + epsilon).squareRoot()
      output.values[index] = parameters[0].values[channel] * normal + parameters[1].values[channel]
    }
    return output
  }

  private func updateRunning(_ mean: [Double], _ variance: [Double], rows: Int) {
    valuesPerChannel = rows
    let correction = Double(rows) / Double(max(rows - 1, 1))
    for channel in mean.indices {
      let oldMean = Double(runningMean.value[channel]), oldVariance = Double(runningVariance.value[channel])
      runningMean.value[channel] = Float(oldMean + momentum * (mean[channel] - oldMean))
      runningVariance.value[channel] = Float(
        oldVariance + momentum * (variance[channel] * correction - oldVariance))
    }
  }
}

extension BatchNormalization: EpiloguePart {
  public var part: Epilogue.Part { .normalization(self) }
}

extension BatchNormalization: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let parameters = ownState.map { graph.constant($0.name, $0.parameter) }
    return graph.node("BatchNormalization", [x] + parameters, ["epsilon": .float(Float(epsilon))])
  }
}
