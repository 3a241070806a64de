import Compute
import Kernels
import Layers
import Tensors

/// Times kernels as operators, in turns, problem by problem.
package struct OperatorStudy {
  /// The 3×3 convolutions of the four stages of ResNet-50's bottleneck, at batch 1.
  package static func bottleneckStages() throws -> [ConvolutionProblem] {
    try [("res2", 64, 56), ("res3", 128, 28), ("res4", 256, 14), ("res5", 512, 7)].map {
      name, channels, extent in
      ConvolutionProblem(
        try ConvolutionGeometry(
          inputChannels: channels, outputChannels: channels, kernel: Pair(3), padding: Padding(Pair(1))),
        FeatureShape(batch: 1, height: extent, width: extent, channels: channels), name: name)
    }
  }

  /// Which algorithms are timed.
  package enum Algorithms: Sendable {
    /// The one that is chosen by shape.
    case automatic
    /// All of a kernel's that serve a shape, but the reference; the one that is chosen by shape comes first.
    case all
    /// These.
    case named([String])
  }

  /// What is timed, and how.
  package struct Plan: Sendable {
    /// The kernels, `standard` first; all are compared with its first algorithm.
    package var kernels: [KernelChoice]
    /// Which of their algorithms.
    package var algorithms = Algorithms.all
    /// The passes.
    package var passes: [TimedPass] = [.forward, .backward]
    /// Threads of each operator.
    package var threads: Int
    /// About how long the timing of one problem and pass may take.
    package var seconds = 0.5
    /// Where algorithms are chosen by measurement; nil for the estimates.
    package var tuning: AlgorithmTuning?
    /// Errors are computed for problems of at most this number of MACs: the reference takes about a nanosecond each.
    package var errorLimit = 1_000_000_000

    /// A plan for some kernels.
    package init(_ kernels: [KernelChoice], threads: Int) {
      self.kernels = kernels
      self.threads = threads
    }
  }

  /// The rows so far: complete ones only.
  package private(set) var rows: [OperatorRow] = []

  private let plan: Plan

  /// A study.
  package init(_ plan: Plan) { self.plan = plan }

  private final class Contestant {
    let choice: KernelChoice
    let algorithm: String
    let layer: any KernelLayer
    init(_ choice: KernelChoice, _ algorithm: String, _ layer: any KernelLayer) {
      self.choice = choice
      self.algorithm = algorithm
      self.layer = layer
    }
  }

  /// Measures one problem; may be cancelled between rounds, and then adds nothing.
  package mutating func run(_ problem: ConvolutionProblem, _ progress: ProgressLine?) throws {
    progress?.show(problem.text)
    var random = Random(seed: 0)
    let x = Tensor(normal: problem.input.extents, using: &random)
    var contestants: [Contestant] = [], refusals: [OperatorRow] = []
    for choice in plan.kernels {
      if let reason = choice.operatorRefusal {
        refusals += plan.passes.map {
          OperatorRow(
            choice.item, "", $0, problem.text, OperatorPlace(problem.geometry, problem.input),
            refusal: .skipped(reason))
        }
        continue
      }
      for algorithm in algorithms(choice, problem) {
        do {
          var random = Random(seed: 0).split(choice.item)
          let layer = try choice.makeLayer(at: problem.geometry, algorithm: algorithm, random: random)
          _ = try layer.outputShape(for: problem.input)
          setPositions(of: layer, &random)
          contestants.append(Contestant(choice, algorithm, layer))
        } catch let error as WorkbenchError {
          let geometry = try? choice.kernel.geometry(at: problem.geometry, options: choice.options)
          refusals += plan.passes.map {
            OperatorRow(
              choice.item, algorithm, $0, problem.text,
              OperatorPlace(geometry ?? problem.geometry, problem.input),
              refusal: .refused(error.description))
          }
        }
      }
    }
    let timed = try time(contestants, x, problem)
    let measured = withErrors(timed, contestants, x, problem).enumerated().filter { index, row in
      isOwn(row, of: contestants[index % contestants.count])
    }
    rows += measured.map(\.element) + refusals
    progress?.advance(problem.text)
  }

  /// Adds rows for a problem that cannot be measured.
  package mutating func add(unsupported text: String, _ reason: String) {
    for choice in plan.kernels {
      rows += plan.passes.map { OperatorRow(choice.item, "", $0, text, nil, refusal: .unsupported(reason)) }
    }
  }

  /// Whether a row is the requested algorithm's. One that computes the forward pass alone leaves the backward pass to
  /// another, which has its own row where all are timed.
  private func isOwn(_ row: OperatorRow, of contestant: Contestant) -> Bool {
    guard case .all = plan.algorithms else { return true }
    return contestant.algorithm == "auto" || row.algorithm == contestant.algorithm
  }

  /// The names of the algorithms to time.
  private func algorithms(_ choice: KernelChoice, _ problem: ConvolutionProblem) -> [String] {
    switch plan.algorithms {
    case .automatic: return ["auto"]
    case .named(let names):
      // With several kernels, each uses the names that it knows, or refuses if it knows none; standard is always
      // included.
      let own = names.filter { $0 == "auto" || choice.kernel.algorithms.contains($0) }
      let isYardstick = choice.item == plan.kernels[0].item && plan.kernels.count > 1
      return own.isEmpty ? isYardstick ? ["auto"] : Array(names.prefix(1)) : own
    case .all:
      let known = choice.kernel.algorithms.filter { $0 != DirectOrReference.reference.rawValue }
      let layer = try? choice.makeLayer(at: problem.geometry, random: Random(seed: 0))
      // It answers for inputs that fit it; others are refused when it is measured.
      let fits = (try? layer?.outputShape(for: problem.input)) != nil
      let chooser = fits ? layer as? any ChoosesAlgorithm : nil
      let serving = known.filter { chooser?.refusal(of: $0, for: problem.input) == nil }
      let names = serving.isEmpty ? Array(known.prefix(1)) : serving
      let chosen = chooser?.algorithm(
        for: problem.input, .forward, Context(training: false, threads: plan.threads))
      return names.filter { $0 == chosen } + names.filter { $0 != chosen }
    }
  }

  /// Predicted positions start at zero, which would be an easy case: here they lie between the pixels. Near a pixel
  /// their gradient jumps, so that a rounding error would look like a wrong result.
  private func setPositions(of layer: any KernelLayer, _ random: inout Random) {
    for named in layer.parameters where named.isPosition {
      let shape = named.parameter.value.shape
      named.parameter.value =
        named.parameter.layout == .convolution
        ? Tensor(normal: shape, deviation: 0.0005, using: &random)
        : Tensor(uniform: shape, in: 0.3..<0.7, using: &random)
    }
    // A block that starts as the identity would be one, too.
    for normalization in layer.normalizations where normalization.weight.value.values.allSatisfy({ $0 == 0 })
    {
      normalization.weight.value = Tensor(repeating: 1, normalization.weight.value.shape)
    }
  }

  /// All passes of all contestants, taking turns.
  private func time(
    _ contestants: [Contestant], _ x: Tensor, _ problem: ConvolutionProblem
  ) throws -> [OperatorRow] {
    let inference = Context(training: false, threads: plan.threads, tuning: plan.tuning)
    let training = Context(training: true, threads: plan.threads)
    var result: [OperatorRow] = []
    for pass in plan.passes {
      let timing = try PairedTiming(
        budget: plan.seconds,
        contestants.map { contestant in
          let layer = contestant.layer, g = gradient(layer, problem.input)
          switch pass {
          case .forward: return (prepare: {}, run: { _ = layer.forward(x, inference) })
          case .backward:
            return (prepare: { _ = layer.forward(x, training) }, run: { _ = layer.backward(g, training) })
          case .training:
            return (
              prepare: {},
              run: {
                _ = layer.forward(x, training)
                _ = layer.backward(g, training)
              }
            )
          }
        })
      for (index, contestant) in contestants.enumerated() {
        let layer = contestant.layer, input = problem.input
        let chooser = layer as? any ChoosesAlgorithm
        let ran =
          pass == .forward
          ? chooser?.algorithm(for: input, .forward, inference)
          : chooser?.algorithm(for: input, .inputGradient, training)
        let named = contestant.algorithm == "auto" ? layer.algorithm : contestant.algorithm
        result.append(
          OperatorRow(
            contestant.choice.item, ran ?? named, pass, problem.text,
            OperatorPlace(layer.geometry, input), cost: try pass.cost(of: layer, input),
            times: timing.times(index)))
      }
    }
    return result
  }

  private func gradient(_ layer: any KernelLayer, _ input: FeatureShape) -> Tensor {
    var random = Random(seed: 1)
    return Tensor(normal: ((try? layer.outputShape(for: input)) ?? input).extents, using: &random)
  }

  /// Compares with the Double reference, each kernel once: its algorithms share the definition.
  private func withErrors(
    _ rows: [OperatorRow], _ contestants: [Contestant], _ x: Tensor, _ problem: ConvolutionProblem
  ) -> [OperatorRow] {
    nonisolated(unsafe) var errors: [[TimedPass: Double]] = contestants.map { _ in [:] }
    let needsBackward = plan.passes != [.forward]
    let first = contestants.indices.filter { index in
      let terms = (try? contestants[index].layer.geometry.terms(problem.input)) ?? .max
      return terms <= plan.errorLimit && contestants[index].layer.firstWithoutDefinition == nil
        && contestants.firstIndex { $0.choice.item == contestants[index].choice.item } == index
    }
    errors.withUnsafeMutableBufferPointer { errors in
      nonisolated(unsafe) let errors = errors
      parallel(first.count, threads: plan.threads) { range in
        for index in range.map({ first[$0] }) {
          let layer = contestants[index].layer, g = gradient(layer, problem.input)
          let x64 = Tensor64(x), parameters = layer.parameters.map { Tensor64($0.parameter.value) }
          let forward = layer.reference(x64, parameters, training: true)
          let backward = needsBackward ? layer.referenceGradients(x64, parameters, Tensor64(g)) : nil
          for other in contestants.indices
          where contestants[other].choice.item == contestants[index].choice.item {
            let layer = contestants[other].layer
            // The same weights for each algorithm: they came from the same random source.
            let inference = Context(training: false, threads: 1, tuning: plan.tuning)
            // Running statistics differ from layer to layer, and from the batch's.
            let inferred =
              layer.buffers.isEmpty ? forward : layer.reference(x64, parameters, training: false)
            errors[other][.forward] = relativeError(layer.forward(x, inference), inferred)
            guard let backward else { continue }
            let context = Context(training: true, threads: 1)
            let output = relativeError(layer.forward(x, context), forward)
            let gradients = [layer.backward(g, context)] + layer.parameters.compactMap(\.parameter.gradient)
            let error = zip(gradients, [backward.input] + backward.parameters)
              .map { relativeError($0, $1) }.max()
            errors[other][.backward] = error
            errors[other][.training] = max(error ?? 0, output)
          }
        }
      }
    }
    return rows.enumerated().map { index, row in
      var row = row
      row.maxRelativeError = errors[index % contestants.count][row.pass]
      return row
    }
  }
}

/// The largest difference from a reference, relative to the reference's largest value; infinite where one is not a
/// number, or the shapes differ.
func relativeError(_ found: Tensor, _ wanted: Tensor64) -> Double {
  guard found.shape == wanted.shape else { return .infinity }
  let scale = wanted.values.reduce(0) { max($0, abs($1)) }
  var largest = 0.0
  for (a, b) in zip(found.values, wanted.values) {
    let difference = abs(Double(a) - b)
    guard difference.isFinite else { return .infinity }
    largest = max(largest, difference)
  }
  return scale > 0 ? largest / scale : largest
}
