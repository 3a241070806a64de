import Compute
import Layers
import Tensors

/// The indirect GEMM: tables of row pointers from the sampling, packed weights, and the combination's microkernel
/// step. It computes every combination that has a step in the engine.
struct Direct: Algorithm {
  let name = "direct"
  let isExactOnIntegers = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    operation.combination.engine == nil
      ? "The engine has no step for \(operation.combination.formula); use reference." : nil
  }

  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    Estimates.products(operation.geometry, pass, input)
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { DirectPasses(operation) }
}

/// The passes of `direct`.
final class DirectPasses: ConvolutionPasses {
  let geometry: ConvolutionGeometry
  let combination: any Combination
  let engine: CombinationEngine
  private let merged: MergedGroups
  private let forwardPack = FilterCache<PackedWeights>(), backwardPack = FilterCache<PackedWeights>()
  private let columnPack = FilterCache<PackedWeights>()

  init(_ operation: Operation) {
    guard let engine = operation.combination.engine else { preconditionFailure("refused by Direct") }
    self.engine = engine
    geometry = operation.geometry
    combination = operation.combination
    merged = MergedGroups(
      geometry, mayMerge: operation.combination.isProduct && operation.readsRegularGrid)
  }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let slots = plan.slots, packed = packed(filter, slots, context)
    var y = Tensor(uninitialized: plan.output.extents)
    let zeros = Tensor(repeating: 0, [geometry.inputChannels])
    withPointers(x, zeros) { x, zeros in
      y.withMutablePointer { y in
        epilogue.withPointers(output: y) { epilogue in
          indirectGEMM(
            rows: plan.output.pixels, weights: packed, epilogue: epilogue, step: engine.step,
            slots: slots.count,
            channelStep: slots.channelStep, scratchPerRow: plan.scratchPerPixel, threads: context.threads
          ) {
            plan.fill($0, $1, x: x, zeros: zeros, y: y, skipsPadding: combination.isProduct)
          }
        }
      }
    }
    return y
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    guard engine.gradients != .largestTerm, let rows = plan.transposed else {
      var dx = scattered(g, x, plan, weight, context)
      if let summand { dx.add(summand, threads: context.threads) }
      return dx
    }
    let packed = backwardPack.value(Filter(weight), context) {
      PackedWeights(backward: merged.expanded($0), groups: merged.groups, threads: context.threads)
    }
    let zeros = Tensor(repeating: 0, [geometry.outputChannels])
    var dx = Tensor(uninitialized: x.shape)
    let pixels = FeatureShape(x).pixels
    withPointers(g, x, zeros) { g, x, zeros in
      dx.withMutablePointer { dx in
        func fill(_ range: Range<Int>, _ table: RowTable) -> Int {
          rows.fillTransposed(range, table, g: g, zeros: zeros, dx: dx)
        }
        if let (limit, factor) = engine.gradients.ofDifferences {
          indirectClampedGradient(
            rows: pixels, weights: packed, input: x, gradient: dx, limit: limit, threads: context.threads,
            fill: fill)
          if factor != 1 {
            Elementwise.scale(
              factor, dx, dx, count: pixels * geometry.inputChannels, threads: context.threads)
          }
        } else {
          Epilogue(residual: summand).withPointers(output: dx) {
            indirectGEMM(rows: pixels, weights: packed, epilogue: $0, threads: context.threads, fill: fill)
          }
        }
      }
    }
    if engine.gradients.ofDifferences != nil, let summand { dx.add(summand, threads: context.threads) }
    return dx
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    if engine.gradients == .largestTerm { return largestTermWeightGradient(g, x, plan, weight, context) }
    let zeros = Tensor(repeating: 0, [geometry.inputChannels])
    let inGroup = geometry.inputChannels / merged.groups
    var dw = Tensor(uninitialized: [geometry.taps, inGroup, geometry.outputChannels])
    withPointers(g, x, zeros) { g, x, zeros in
      dw.withMutablePointer { dw in
        indirectWeightGradient(
          rows: plan.output.pixels, groups: merged.groups, taps: geometry.taps, channels: inGroup,
          outputs: geometry.outputChannels / merged.groups, gradient: g, result: dw,
          scratchPerRow: plan.scratchPerPixel > 0 ? geometry.inputChannels : 0, threads: context.threads
        ) { tap, range, pointers, scratch in
          plan.fillTap(tap, range, x: x, zeros: zeros, scratch: scratch, into: pointers)
        }
      }
    }
    dw = merged.extracted(dw, shape: weight.value.shape)
    if let (_, factor) = engine.gradients.ofDifferences {
      subtractWeightedSums(&dw, weight.value, g, factor: factor, threads: context.threads)
    }
    return dw
  }

  /// The filter packed for the forward pass.
  private func packed(_ filter: Filter, _ slots: SlotLayout, _ context: Context) -> PackedWeights {
    forwardPack.value(filter, context, variant: slots.order == nil ? 0 : 1) {
      PackedWeights(
        forward: merged.expanded(slots.ordered($0)), groups: merged.groups, threads: context.threads)
    }
  }

  /// The filter packed for the gradients to what was read.
  func packedForColumns(_ weight: Parameter, _ context: Context) -> PackedWeights {
    columnPack.value(Filter(weight), context) {
      PackedWeights(backward: $0, groups: geometry.groups, threads: context.threads)
    }
  }
}

extension DirectPasses: PassesByBands {
  func bands(
    _ input: FeatureShape, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> BandComputation {
    let plan = GridRows(geometry, input: input), packed = packed(filter, plan.slots, context)
    let zeros = Tensor(repeating: 0, [geometry.inputChannels]), width = plan.output.width
    return { lines, x, y in
      let first = lines.lowerBound * width
      zeros.withPointer { zeros in
        epilogue.withPointers(output: y) {
          indirectGEMM(rows: lines.count * width, weights: packed, epilogue: $0, threads: 1) {
            plan.fill(
              first + $0.lowerBound..<first + $0.upperBound, $1, x: x, zeros: zeros, y: y, skipsPadding: true)
          }
        }
      }
    }
  }
}

extension SlotLayout {
  /// A filter with its input channels in the slots' order.
  func ordered(_ filter: Tensor) -> Tensor {
    guard let order else { return filter }
    let outputs = filter.shape[3]
    var result = Tensor(uninitialized: filter.shape)
    filter.withPointer { source in
      result.withMutablePointer { target in
        for (position, channel) in order.enumerated() {
          (target + position * outputs).update(from: source + channel * outputs, count: outputs)
        }
      }
    }
    return result
  }
}
