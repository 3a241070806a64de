import Compute
import Layers
import Tensors

/// Samples at learned positions, summed for each channel:
///
///     y[p, c] = Σ over t of mask[p, g, t] · v(p · stride + t · dilation − padding + offset[p, g, t], c)
///
/// Channel c is in the group g of channels that share positions. Layers compute the values v, the offsets, (vertical,
/// horizontal) for each group and tap, and the masks from the same input, or offsets and masks from its features.
final class GatheredSamples: Defined, HoldsDecisions, TorchPrinted {
  private let geometry: ConvolutionGeometry
  private let value: any Layer, features: (any Layer)?, offset: any Layer, mask: any Layer
  private var saved = Saved<(v: Tensor, plan: BilinearRows)>()
  private var gradients: (offset: Tensor, mask: Tensor)?

  /// `geometry` has as many outputs as `value` has.
  init(
    _ geometry: ConvolutionGeometry, value: any Layer, features: (any Layer)?, offset: any Layer,
    mask: any Layer
  ) {
    self.geometry = geometry
    self.value = value
    self.features = features
    self.offset = offset
    self.mask = mask
  }

  var children: [NamedLayer] {
    [("value", value)] + (features.map { [("features", $0)] } ?? []) + [("offset", offset), ("mask", mask)]
  }
  var isExactOnIntegers: Bool { false }
  var printedArguments: String { geometry.printed(bias: false) }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.count / max(input.batch, 1) <= Int(Int32.max) else {
      throw WorkbenchError("A deformable kernel supports images of fewer than 2³¹ elements, not \(input).")
    }
    let output = try geometry.outputShape(for: value.outputShape(for: input))
    let features = try features?.outputShape(for: input) ?? input
    let positions = try offset.outputShape(for: features), masks = try mask.outputShape(for: features)
    precondition(positions.pixels == output.pixels && positions.channels == 2 * masks.channels)
    return output
  }

  /// Samples, their sums, and the layers inside; backward, the three gradients to the input are summed.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let v = try value.outputShape(for: input), output = try geometry.outputShape(for: v)
    let z = try features?.outputShape(for: input) ?? input
    let slots = try mask.outputShape(for: z).count, isBackward = pass == .backward
    var cost = try geometry.samplingCost(for: v, pass: pass, masked: true)
    cost.adds += isBackward ? 2 * input.count : output.count * (geometry.taps - 1)
    cost.bytes = (isBackward ? 8 : 4) * (v.count + output.count + 3 * slots)
    if let features { cost = try cost + features.cost(for: input, pass: pass) }
    return try cost + value.cost(for: input, pass: pass) + offset.cost(for: z, pass: pass)
      + mask.cost(for: z, pass: pass)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let v = value.forward(input, context), z = features?.forward(input, context) ?? input
    let plan = BilinearRows(
      geometry, input: FeatureShape(v), offset: offset.forward(z, context),
      mask: mask.forward(z, context), threads: context.threads
    ) { [self] offset, mask, dv, _ in
      gradients = mask.map { (offset, $0) }
      return dv
    }.held(by: self, context)
    saved.keep((v, plan), context)
    let zeros = Tensor(repeating: 0, [v.shape[3]])
    var y = Tensor(repeating: 0, plan.output.extents)
    withPointers(v, zeros) { v, zeros in
      y.withMutablePointer { plan.gather(v, zeros: zeros, into: $0, threads: context.threads) }
    }
    return y
  }

  /// Each tap's sample gets the output's gradient; the plan spreads it, some megabytes at a time, and finds the gradients
  /// to offsets and masks.
  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (v, plan) = saved.take(), channels = v.shape[3], taps = geometry.taps, threads = context.threads
    let zeros = Tensor(repeating: 0, [channels]), block = max(1, (1 << 20) / (taps * channels))
    var dv = Tensor(repeating: 0, v.shape)
    for first in stride(from: 0, to: plan.output.pixels, by: block) {
      let pixels = first..<min(first + block, plan.output.pixels)
      var columns = Tensor(uninitialized: [pixels.count, taps * channels])
      gradient.withPointer { g in
        columns.withMutablePointer {
          copyRuns(g, $0, count: pixels.count * taps, length: channels, threads: threads) {
            ((first + $0 / taps) * channels, $0 * channels)
          }
        }
      }
      withPointers(columns, v, zeros) { columns, v, zeros in
        dv.withMutablePointer {
          plan.scatter(columns, pixels, x: v, zeros: zeros, into: $0, threads: threads)
        }
      }
    }
    let toValue = plan.backward(dv, context)
    guard let (toOffset, toMask) = gradients.take() else { preconditionFailure("there are masks") }
    let one = value.backward(toValue, input: input, context)
    guard let features else {
      let two = offset.backward(toOffset, input: input.isNeeded ? .plus(one) : .unneeded, context)
      return mask.backward(toMask, input: input.isNeeded ? .plus(two) : .unneeded, context)
    }
    let two = offset.backward(toOffset, input: .needed, context)
    let three = mask.backward(toMask, input: .plus(two), context)
    return features.backward(three, input: input.isNeeded ? .plus(one) : .unneeded, context)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let own = byChild(parameters), last = own.count - 1, g = geometry
    let v = value.definition(input, own[0], training: training)
    let z = features?.definition(input, own[1], training: training) ?? input
    let offset = offset.definition(z, own[last - 1], training: training)
    let mask = mask.definition(z, own[last], training: training)
    let positions = Positions(offset: offset, mask: mask)
    BilinearSamples.note(positions, geometry, v, by: self)
    let groups = positions.groups(taps: g.taps), shared = v.shape[3] / groups
    return Tensor64(g.definedOutput(v.shape)) { image, row, column, channel in
      (0..<g.taps).reduce(0) { sum, tap in
        let slot = channel / shared * g.taps + tap, reach = g.reach(ofTap: tap)
        let top = row * g.stride.height + reach.y - g.padding.top
        let left = column * g.stride.width + reach.x - g.padding.left
        let sample = BilinearSample64(
          y: Double(top) + offset[image, row, column, 2 * slot],
          x: Double(left) + offset[image, row, column, 2 * slot + 1], height: v.shape[1], width: v.shape[2])
        return sample.neighbours.reduce(sum) {
          let place = (image * v.shape[1] * v.shape[2] + $1.pixel) * v.shape[3] + channel
          return $0 + mask[image, row, column, slot] * $1.weight * v.values[place]
        }
      }
    }
  }
}

/// A deformable convolution of each channel separately, by ones.
extension GatheredSamples: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let v = try graph.layer(("value", value), x, shape)
    let z = try features.map { try graph.layer(("features", $0), x, shape) } ?? x
    let inner = try features?.outputShape(for: shape) ?? shape
    let positions = try offset.outputShape(for: inner), channels = geometry.inputChannels
    let ones = Tensor(repeating: 1, [channels, 1, geometry.kernel.height, geometry.kernel.width])
    return try geometry.onnxConvolution(
      "DeformConv",
      [
        v, graph.constant("ones", ones), graph.layer(("offset", offset), z, inner), nil,
        graph.layer(("mask", mask), z, inner),
      ], groups: channels, offsetGroups: positions.channels / (2 * geometry.taps), graph)
  }
}
