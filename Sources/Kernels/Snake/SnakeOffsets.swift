import Compute
import Foundation
import Layers
import Tensors

/// The sampling of dynamic snake convolution: a row (or a column) of taps, each moved across it by the sum of its own step
/// and those of all taps between it and the middle, which stays.
///
/// Steps are tanh of what a convolution predicts from the same input, one for each tap but the middle, so that neighbours
/// stay within a pixel. As for deformable convolution, that convolution starts at zero and learns at a hundredth of the
/// rate.
final class SnakeOffsets: Sampling {
  private let geometry: ConvolutionGeometry
  private let predictor: ConvolutionLayer

  /// Offsets for a window of one row or column; predicted by a window of `place`.
  init(_ site: KernelSite, predictedAt place: ConvolutionGeometry) throws {
    geometry = site.geometry
    predictor = try ConvolutionLayer(
      KernelSite(
        geometry: place.with(outputChannels: site.geometry.taps - 1, groups: 1), bias: true,
        random: site.random),
      initialization: .zeros, rateFactor: 0.01)
    for named in predictor.parameters { named.parameter.role = .position }
  }

  var children: [NamedLayer] { [("offset", predictor)] }
  var printedPrefix: String { "Snake" }
  var hasLearnedPositions: Bool { true }
  var holdsDecisions: Bool { true }

  func check(_ input: FeatureShape, output: FeatureShape) throws {
    guard input.count / max(input.batch, 1) <= Int(Int32.max) else {
      throw WorkbenchError("snake supports images of fewer than 2³¹ elements, not \(input).")
    }
  }

  func plan(for input: Tensor, _ context: Context) -> any SamplingPlan {
    let steps = steps(input, context)
    return BilinearRows(
      geometry, input: FeatureShape(input), offset: offset(steps, context), mask: nil,
      threads: context.threads
    ) { [self] gradient, _, dx, context in
      let toSteps = stepGradients(gradient.values, threads: context.threads)
      let toPrediction = Tensor(toSteps, steps.shape).mapped { g, y in
        steps.withPointer { s in
          parallel(steps.count, threads: context.threads, grain: 4096) { range in
            for index in range { y[index] = g[index] * (1 - s[index] * s[index]) }
          }
        }
      }
      let inner = predictor.backward(toPrediction, context)
      return .sum(dx, inner, threads: context.threads)
    }.held(by: self, context)
  }

  func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions? {
    SampledPositions(geometry: geometry, offset: offset(steps(input, context), context), mask: nil)
  }

  private func steps(_ input: Tensor, _ context: Context) -> Tensor {
    let prediction = predictor.forward(input, context), count = prediction.count
    return prediction.mapped { x, y in
      parallel(count, threads: context.threads, grain: 512) { range in
        for index in range { y[index] = tanh(x[index]) }
      }
    }
  }

  private func offset(_ steps: Tensor, _ context: Context) -> Tensor {
    Tensor(offsets(steps.values, threads: context.threads), steps.shape.dropLast() + [2 * geometry.taps])
  }

  /// The taps before the middle one from the middle on, then those after it: their places in a row of offsets, and those of
  /// their steps.
  private var arms: [[(offset: Int, step: Int)]] {
    let taps = geometry.taps, middle = taps / 2, across = geometry.kernel.height == 1 ? 0 : 1
    return [
      (0..<middle).reversed().map { (2 * $0 + across, $0) },
      (middle + 1..<taps).map { (2 * $0 + across, $0 - 1) },
    ]
  }

  /// (vertical, horizontal) for each pixel and tap, from the steps.
  private func offsets<Value: BinaryFloatingPoint>(_ steps: [Value], threads: Int = 1) -> [Value] {
    let taps = geometry.taps, pixels = steps.count / (taps - 1), arms = arms
    var offsets = Array(repeating: Value(0), count: pixels * 2 * taps)
    offsets.withUnsafeMutableBufferPointer { offsets in
      parallel(pixels, threads: threads, grain: 64) { range in
        for arm in arms {
          for pixel in range {
            var sum = Value(0)
            for tap in arm {
              sum += steps[pixel * (taps - 1) + tap.step]
              offsets[pixel * 2 * taps + tap.offset] = sum
            }
          }
        }
      }
    }
    return offsets
  }

  /// The transpose of `offsets`.
  private func stepGradients<Value: BinaryFloatingPoint>(_ gradient: [Value], threads: Int = 1) -> [Value] {
    let taps = geometry.taps, pixels = gradient.count / (2 * taps), arms = arms
    var toSteps = Array(repeating: Value(0), count: pixels * (taps - 1))
    toSteps.withUnsafeMutableBufferPointer { toSteps in
      parallel(pixels, threads: threads, grain: 64) { range in
        for arm in arms {
          for pixel in range {
            var sum = Value(0)
            for tap in arm.reversed() {
              sum += gradient[pixel * 2 * taps + tap.offset]
              toSteps[pixel * (taps - 1) + tap.step] = sum
            }
          }
        }
      }
    }
    return toSteps
  }

  func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions {
    let steps = definedSteps(input, parameters)
    let offset = Tensor64(offsets(steps.values), steps.shape.dropLast() + [2 * geometry.taps])
    let positions = Positions(offset: offset)
    BilinearSamples.note(positions, geometry, input, by: self)
    return positions
  }

  private func definedSteps(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    predictor.reference(input, parameters, training: true).map { tanh($0) }
  }

  func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64]) {
    guard let gradient = gradient.offset else { return (nil, []) }
    let steps = definedSteps(input, parameters)
    let toSteps = Tensor64(stepGradients(gradient.values), steps.shape) * steps.map { 1 - $0 * $0 }
    let inner = predictor.referenceGradients(input, parameters, toSteps)
    return (inner?.input, inner?.parameters ?? [])
  }

  /// A sample is a mean of two neighbours: two products and a sum. Backward, it is made again, spread over both (two MACs)
  /// and multiplied with each (two more). A step is a tanh and, but for the middle's neighbours, a sum; backward, a sum and
  /// the slope 1 − s² times the gradient. The two gradients to the input are summed.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let pixels = try geometry.outputShape(for: input).pixels, isBackward = pass == .backward
    let samples = pixels * geometry.taps * geometry.inputChannels, steps = pixels * (geometry.taps - 1)
    var cost = try predictor.cost(for: input, pass: pass)
    cost.macs += isBackward ? 4 * samples : 0
    cost.adds += steps - 2 * pixels + (isBackward ? steps + input.count : 0)
    cost.otherOps += 3 * samples + (isBackward ? 2 * steps : steps)
    cost.bytes = 4 * steps
    return cost
  }
}

/// A deformable convolution whose offsets are sums of steps: a convolution of ones and zeros.
extension SnakeOffsets: ONNXSampling {
  func onnxConvolution(
    _ x: ONNXGraph.Value, _ shape: FeatureShape, weight: ONNXGraph.Value, bias: ONNXGraph.Value?, groups: Int,
    _ graph: ONNXGraph
  ) throws -> ONNXGraph.Value {
    let taps = geometry.taps
    var sums = Tensor(repeating: 0, [2 * taps, taps - 1, 1, 1])
    for arm in arms {
      for (index, tap) in arm.enumerated() {
        for step in arm[...index] { sums[tap.offset * (taps - 1) + step.step] = 1 }
      }
    }
    let steps = graph.node("Tanh", [try graph.layer(("offset", predictor), x, shape)])
    let offset = graph.node("Conv", [steps, graph.constant("sums", sums)], ["kernel_shape": .ints([1, 1])])
    return geometry.onnxConvolution(
      "DeformConv", [x, weight, offset, bias], groups: groups, offsetGroups: 1, graph)
  }
}
