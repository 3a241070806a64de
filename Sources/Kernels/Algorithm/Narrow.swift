import Compute
import Layers
import Tensors

/// Grouped convolutions with four or eight channels and as many outputs in each group: several groups share a vector,
/// in which each lane is multiplied by the channels of its own group only.
struct Narrow: Algorithm {
  let name = "narrow"
  let isExactOnIntegers = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    if let reason = operation.refusalUnlessGridOfProducts(name) { return reason }
    let g = operation.geometry
    guard pass != .weightGradient else {
      return "The algorithm narrow does not compute the gradient to the weights; use direct."
    }
    guard g.channelsPerGroup == g.outputsPerGroup, NarrowGroups(width: g.channelsPerGroup) != nil,
      g.inputChannels % InstructionSet.lanes == 0
    else {
      return
        "The algorithm narrow needs groups of four or eight channels and as many outputs, fewer than the \(InstructionSet.lanes) lanes of a vector, which they fill, not \(g.inputChannels) → \(g.outputChannels) channels in \(g.countedGroups); use direct."
    }
    return nil
  }

  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    let g = operation.geometry, lanes = InstructionSet.lanes
    let rows = pass == .forward ? g.checkedOutput(input).pixels : input.pixels
    return Estimates.products(rows: rows, g.channelsPerGroup * g.taps, lanes)
      * Double(g.outputChannels / lanes)
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { NarrowPasses(operation.geometry) }
}

/// The passes of `narrow`.
final class NarrowPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry
  private let groups: NarrowGroups
  private let forwardPack = FilterCache<PackedWeights>(), backwardPack = FilterCache<PackedWeights>()

  init(_ geometry: ConvolutionGeometry) {
    guard let groups = NarrowGroups(width: geometry.channelsPerGroup) else {
      preconditionFailure("refused by Narrow")
    }
    self.geometry = geometry
    self.groups = groups
  }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let packed = forwardPack.value(filter, context) {
      PackedWeights(
        forward: $0, groups: geometry.outputChannels / InstructionSet.lanes, threads: context.threads)
    }
    let zeros = Tensor(repeating: 0, [geometry.inputChannels])
    var y = Tensor(uninitialized: plan.output.extents)
    withPointers(x, zeros) { x, zeros in
      y.withMutablePointer { y in
        epilogue.withPointers(output: y) {
          indirectGEMM(
            rows: plan.output.pixels, weights: packed, epilogue: $0, narrow: groups, threads: context.threads
          ) { plan.fill($0, $1, x: x, zeros: zeros, y: y, skipsPadding: true) }
        }
      }
    }
    return y
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    let rows = TransposedGrid(geometry, input: FeatureShape(x), output: plan.output)
    let packed = backwardPack.value(Filter(weight), context) {
      PackedWeights(
        forward: exchanged($0), groups: geometry.outputChannels / InstructionSet.lanes,
        threads: context.threads)
    }
    let zeros = Tensor(repeating: 0, [geometry.outputChannels])
    var dx = Tensor(uninitialized: x.shape)
    withPointers(g, zeros) { g, zeros in
      dx.withMutablePointer { dx in
        Epilogue(residual: summand).withPointers(output: dx) {
          indirectGEMM(
            rows: FeatureShape(x).pixels, weights: packed, epilogue: $0, narrow: groups,
            threads: context.threads
          ) { rows.fillTransposed($0, $1, g: g, zeros: zeros, dx: dx) }
        }
      }
    }
    return dx
  }

  /// Weights in which each group's channels and outputs have changed places.
  private func exchanged(_ weights: Tensor) -> Tensor {
    let width = groups.width, outputs = geometry.outputChannels
    var result = Tensor(uninitialized: weights.shape)
    weights.withPointer { source in
      result.withMutablePointer { target in
        for tap in 0..<geometry.taps {
          for channel in 0..<width {
            for column in 0..<outputs {
              let (group, output) = column.quotientAndRemainder(dividingBy: width)
              target[(tap * width + output) * outputs + group * width + channel] =
                source[(tap * width + channel) * outputs + column]
            }
          }
        }
      }
    }
    return result
  }
}
