import Compute
import Kernels
import Layers
import Tensors

/// One row of operators.csv.
public struct OperatorRow: Sendable {
  /// The item of `--conv`.
  public let kernel: String
  /// The algorithm.
  public let algorithm: String
  /// `forward` or `backward`.
  public let pass: String
  /// The layer's geometry.
  public let geometry: ConvolutionGeometry
  /// The input.
  public let input: FeatureShape
  /// The stage's name.
  public let stage: String
  /// The operations of this pass.
  public let cost: Cost
  /// Milliseconds of each round; empty if the kernel refused.
  public let milliseconds: [Double]
  /// The median over rounds of standard's time over this one's.
  public let speedup: Double
  /// The largest difference from the reference, relative to its largest value.
  public var maxRelativeError: Double?
  /// Why there is no time, if there is none.
  public let refusal: String?
}

/// Times kernels as operators on the four stages of ResNet-50's bottleneck, at batch 1.
public struct OperatorStudy {
  /// (name, channels, extent) of the 3×3 convolutions.
  public static let stages = [("res2", 64, 56), ("res3", 128, 28), ("res4", 256, 14), ("res5", 512, 7)]

  /// The rows so far: complete ones only.
  public private(set) var rows: [OperatorRow] = []

  private let specification: Specification
  private let secondsPerStage: Double

  /// A study of the kernels of a specification.
  ///
  /// - Parameter secondsPerStage: about how long the timing of one stage and pass may take.
  public init(_ specification: Specification, secondsPerStage: Double = 0.5) {
    self.specification = specification
    self.secondsPerStage = secondsPerStage
  }

  private final class Contestant {
    let choice: KernelChoice
    let layer: any KernelLayer
    init(_ choice: KernelChoice, _ layer: any KernelLayer) {
      self.choice = choice
      self.layer = layer
    }
  }

  /// Runs all stages; may be cancelled between rounds, and then keeps what is finished.
  public mutating func run(_ progress: Progress) throws {
    for (stage, channels, extent) in Self.stages {
      let place = try ConvolutionGeometry(
        inputChannels: channels, outputChannels: channels, kernel: Pair(3), padding: Padding(Pair(1)))
      let input = FeatureShape(batch: 1, height: extent, width: extent, channels: channels)
      var random = Random(seed: 0)
      let x = Tensor(normal: input.extents, using: &random)
      let g = Tensor(normal: input.extents, using: &random)
      var contestants: [Contestant] = []
      for choice in specification.kernels {
        for algorithm in choice.kernel.algorithms where algorithm != "reference" {
          do {
            var random = Random(seed: 0).split(choice.item)
            let layer = try choice.makeLayer(at: place, algorithm: algorithm, random: random)
            guard try layer.outputShape(for: input) == input else {
              throw WorkbenchError("\(choice.item): it changes the size of the image.")
            }
            setPositions(of: layer, &random)
            contestants.append(Contestant(choice, layer))
          } catch let error as WorkbenchError {
            let geometry = (try? choice.kernel.geometry(at: place, options: choice.options)) ?? place
            rows += ["forward", "backward"].map {
              refused(choice, algorithm, $0, geometry, input, stage, error)
            }
          }
        }
      }
      let stageRows = try time(contestants, x, g, input, stage, progress)
      rows += withErrors(stageRows, contestants, x, g)
      progress.advance(stage)
    }
  }

  /// Predicted positions start at zero, which would be an easy case: here they lie between the pixels. Near a pixel
  /// their gradient jumps, so that a rounding error would look like a wrong result.
  private func setPositions(of layer: any KernelLayer, _ random: inout Random) {
    for named in layer.parameters where named.name.hasPrefix("offset.") {
      let shape = named.parameter.value.shape
      named.parameter.value =
        named.name == "offset.bias"
        ? Tensor(uniform: shape, in: 0.3..<0.7, using: &random)
        : Tensor(normal: shape, deviation: 0.0005, using: &random)
    }
  }

  /// Both passes of all contestants, taking turns.
  private func time(
    _ contestants: [Contestant], _ x: Tensor, _ g: Tensor, _ input: FeatureShape, _ stage: String,
    _ progress: Progress
  ) throws -> [OperatorRow] {
    let inference = Context(training: false, threads: specification.threads)
    let training = Context(training: true, threads: specification.threads)
    var result: [OperatorRow] = []
    for pass in ["forward", "backward"] {
      progress.show("\(stage) \(pass)")
      let timing = try PairedTiming(
        budget: secondsPerStage,
        contestants.map { contestant in
          let layer = contestant.layer
          return pass == "forward"
            ? (prepare: {}, run: { _ = layer.forward(x, inference) })
            : (prepare: { _ = layer.forward(x, training) }, run: { _ = layer.backward(g, training) })
        })
      for (index, contestant) in contestants.enumerated() {
        result.append(
          OperatorRow(
            kernel: contestant.choice.item, algorithm: contestant.layer.algorithm, pass: pass,
            geometry: contestant.layer.geometry, input: input, stage: stage,
            cost: try pass == "forward"
              ? contestant.layer.cost(for: input) : contestant.layer.backwardCost(for: input),
            milliseconds: timing.milliseconds[index],
            speedup: timing.speedup(index), maxRelativeError: nil, refusal: nil))
      }
    }
    return result
  }

  private func refused(
    _ choice: KernelChoice, _ algorithm: String, _ pass: String, _ geometry: ConvolutionGeometry,
    _ input: FeatureShape,
    _ stage: String,
    _ error: WorkbenchError
  ) -> OperatorRow {
    OperatorRow(
      kernel: choice.item, algorithm: algorithm, pass: pass, geometry: geometry, input: input, stage: stage,
      cost: Cost(), milliseconds: [], speedup: .nan, maxRelativeError: nil, refusal: error.description)
  }

  /// Compares with the Double reference, each kernel once: its algorithms share the definition.
  private func withErrors(_ rows: [OperatorRow], _ contestants: [Contestant], _ x: Tensor, _ g: Tensor)
    -> [OperatorRow]
  {
    nonisolated(unsafe) var errors: [[String: Double]] = contestants.map { _ in [:] }
    let first = contestants.indices.filter { index in
      contestants.firstIndex { $0.choice.item == contestants[index].choice.item } == index
    }
    errors.withUnsafeMutableBufferPointer { errors in
      nonisolated(unsafe) let errors = errors
      parallel(first.count, threads: specification.threads) { range in
        for index in range.map({ first[$0] }) {
          let layer = contestants[index].layer
          let x64 = Tensor64(x), parameters = layer.parameters.map { Tensor64($0.parameter.value) }
          let forward = layer.reference(x64, parameters)
          let backward = layer.referenceGradients(x64, parameters, Tensor64(g))
          for other in contestants.indices
          where contestants[other].choice.item == contestants[index].choice.item {
            let layer = contestants[other].layer
            // The same weights for each algorithm: they came from the same random source.
            let context = Context(training: true, threads: 1)
            errors[other]["forward"] = relativeError(layer.forward(x, context), forward)
            let dx = layer.backward(g, context)
            if let backward {
              let gradients = [dx] + layer.parameters.compactMap(\.parameter.gradient)
              errors[other]["backward"] = zip(gradients, [backward.input] + backward.parameters)
                .map { relativeError($0, $1) }.max()
            }
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

/// The largest difference from a reference, relative to the reference's largest value.
func relativeError(_ found: Tensor, _ wanted: Tensor64) -> Double {
  let scale = wanted.values.reduce(0) { max($0, abs($1)) }
  let difference = zip(found.values, wanted.values).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
  return scale > 0 ? difference / scale : difference
}
