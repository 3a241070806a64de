import Compute
import Layers
import Tensors

/// Convolution by the indirect GEMM: a regular grid of row pointers and packed weights.
final class DirectConvolution: ConvolutionAlgorithm {
  let name: String
  let geometry: ConvolutionGeometry
  let combine: Combination
  private let merged: MergedGroups
  let forwardPack = FilterCache<PackedWeights>(), backwardPack = FilterCache<PackedWeights>()

  private let byMaxima: Bool

  /// - Parameter byMaxima: whether the forward pass of an adder takes the form 2·Σ max(x, w) − Σ x − Σ w.
  init(_ geometry: ConvolutionGeometry, _ combine: Combination, byMaxima: Bool = false) {
    self.byMaxima = byMaxima
    name = byMaxima ? "max" : "direct"
    self.geometry = geometry
    self.combine = combine
    merged = MergedGroups(geometry, combine)
  }

  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let input = FeatureShape(x), output = geometry.checkedOutput(input)
    if !byMaxima, WindowRows.serves(geometry) { return mergedForward(x, output, filter, finish, context) }
    let rows = GridRows(geometry, input: input, output: output)
    let packed = forwardPack.value(filter, context) {
      PackedWeights(forward: merged.expanded($0), groups: merged.groups)
    }
    let zeros = Tensor(repeating: 0, [input.channels])
    var y = Tensor(uninitialized: output.extents)
    withPointers(x, zeros) { x, zeros in
      y.withMutablePointer { y in
        finish.withPointers(output: y) { finish in
          let skipsPadding = combine == .multiply
          let fill = { (range: Range<Int>, table: RowTable) in
            rows.fillForward(range, table, x: x, zeros: zeros, y: y, skipsPadding: skipsPadding)
          }
          if byMaxima {
            indirectDistances(
              rows: output.pixels, weights: packed, finish: finish, threads: context.threads, fill: fill)
          } else if let sliding = sliding(input, output) {
            sliding(x, packed, y: y, finish: finish, threads: context.threads)
          } else {
            indirectGEMM(
              rows: output.pixels, weights: packed, finish: finish, combine: combine,
              threads: context.threads, fill: fill)
          }
        }
      }
    }
    return y
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, adding summand: Tensor?, _ context: Context
  ) -> Tensor {
    let input = FeatureShape(x), output = FeatureShape(g)
    let rows = GridRows(geometry, input: input, output: output)
    let packed = backwardPack.value(Filter(weight), context) {
      PackedWeights(backward: merged.expanded($0), groups: merged.groups)
    }
    let zeros = Tensor(repeating: 0, [output.channels])
    var dx = Tensor(uninitialized: input.extents)
    withPointers(g, zeros) { g, zeros in
      dx.withMutablePointer { dx in
        switch combine {
        case .multiply:
          Finish(residual: summand).withPointers(output: dx) { finish in
            if let sliding = sliding(output, input, isTurned: true) {
              return sliding(g, packed, y: dx, finish: finish, threads: context.threads)
            }
            indirectGEMM(rows: input.pixels, weights: packed, finish: finish, threads: context.threads) {
              rows.fillBackward($0, $1, g: g, zeros: zeros, dx: dx)
            }
          }
        case .adder:
          x.withPointer { x in
            indirectClampedGradient(
              rows: input.pixels, weights: packed, input: x, gradient: dx, threads: context.threads
            ) {
              rows.fillBackward($0, $1, g: g, zeros: zeros, dx: dx)
            }
          }
        }
      }
    }
    if combine == .adder, let summand { dx.add(summand, threads: context.threads) }
    return dx
  }

  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor {
    let input = FeatureShape(x), output = FeatureShape(g)
    if WindowRows.serves(geometry) { return mergedWeightGradient(g, x, weight, context) }
    if combine == .multiply, geometry.slides, max(geometry.padding.left, geometry.padding.right) <= 2 {
      return slidingWeights(g, x, weight, context)
    }
    let rows = GridRows(geometry, input: input, output: output)
    let zeros = Tensor(repeating: 0, [input.channels])
    let inGroup = geometry.inputChannels / merged.groups
    var dw = Tensor(uninitialized: [geometry.taps, inGroup, geometry.outputChannels])
    withPointers(g, x, zeros) { g, x, zeros in
      dw.withMutablePointer { dw in
        indirectWeightGradient(
          rows: output.pixels, groups: merged.groups, taps: geometry.taps, channels: inGroup,
          outputs: geometry.outputChannels / merged.groups, gradient: g, result: dw, threads: context.threads
        ) { tap, range, pointers, _ in
          rows.fillTap(tap, range, x: x, zeros: zeros, into: pointers)
        }
      }
    }
    dw = merged.extracted(dw, shape: weight.value.shape)
    if combine == .adder { subtractWeightedSums(&dw, weight.value, g, threads: context.threads) }
    return dw
  }
}

// Windows three pixels wide that move by one: neighbouring pixels share what they read.
extension DirectConvolution {
  private func slidingWeights(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor {
    var dw = Tensor(uninitialized: weight.value.shape)
    withPointers(g, x) { gradient, input in
      dw.withMutablePointer { dw in
        slidingWeightGradient(
          input: FeatureShape(x), output: FeatureShape(g), kernelHeight: geometry.kernel.height,
          rowDilation: geometry.dilation.height, top: geometry.padding.top, left: geometry.padding.left,
          x: input, gradient: gradient, result: dw, threads: context.threads)
      }
    }
    return dw
  }

  /// - Parameter isTurned: whether it is the gradient to the input: the convolution of g with the turned window,
  ///   padded by what is missing to its full reach.
  private func sliding(
    _ input: FeatureShape, _ output: FeatureShape, isTurned: Bool = false
  ) -> SlidingConvolution? {
    guard combine == .multiply, geometry.slides else { return nil }
    let reach = geometry.dilation.height * (geometry.kernel.height - 1)
    return SlidingConvolution(
      input: input, output: output, kernelHeight: geometry.kernel.height,
      rowDilation: geometry.dilation.height,
      top: isTurned ? reach - geometry.padding.top : geometry.padding.top,
      left: isTurned ? 2 - geometry.padding.left : geometry.padding.left, isTurned: isTurned)
  }
}

// Few channels: each row of the window is one run of kernel width · channels floats. HWIO weights lie so already.
extension DirectConvolution {
  private func mergedForward(
    _ x: Tensor, _ output: FeatureShape, _ filter: Filter, _ finish: Finish, _ context: Context
  ) -> Tensor {
    let rows = WindowRows(geometry, x, output: output, threads: context.threads)
    let packed = forwardPack.value(filter, context) {
      PackedWeights(
        forward: $0.reshaped([geometry.kernel.height, 1, rows.run, geometry.outputChannels]), groups: 1)
    }
    var y = Tensor(uninitialized: output.extents)
    rows.withPointer { copy in
      y.withMutablePointer { y in
        finish.withPointers(output: y) { finish in
          indirectGEMM(
            rows: output.pixels, weights: packed, finish: finish, combine: combine, threads: context.threads
          ) { rows.fillForward($0, $1, copy: copy, y: y) }
        }
      }
    }
    return y
  }

  private func mergedWeightGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    let output = FeatureShape(g)
    let rows = WindowRows(geometry, x, output: output, threads: context.threads)
    var dw = Tensor(uninitialized: weight.value.shape)
    g.withPointer { g in
      rows.withPointer { copy in
        dw.withMutablePointer { dw in
          indirectWeightGradient(
            rows: output.pixels, groups: 1, taps: geometry.kernel.height, channels: rows.run,
            outputs: geometry.outputChannels, gradient: g, result: dw, threads: context.threads
          ) { row, range, pointers, _ in rows.fill(row, range, copy: copy, into: pointers) }
        }
      }
    }
    if combine == .adder { subtractWeightedSums(&dw, weight.value, g, threads: context.threads) }
    return dw
  }
}

/// Σ (x − w) · g = Σ x · g − w · Σ g: turns a convolution's weight gradient into AdderNet's.
func subtractWeightedSums(_ dw: inout Tensor, _ weight: Tensor, _ g: Tensor, threads: Int) {
  let outputs = weight.shape[3], rows = g.count / outputs
  let sums = g.withPointer { channelSum($0, rows: rows, channels: outputs, threads: threads) }.map {
    Float($0)
  }
  let count = dw.count
  weight.withPointer { w in
    dw.withMutablePointer { dw in
      for index in 0..<count { dw[index] -= w[index] * sums[index % outputs] }
    }
  }
}

extension ConvolutionGeometry {
  /// Whether windows are three pixels wide and move by one, so that neighbours share what they read.
  var slides: Bool { groups == 1 && stride == Pair(1) && kernel.width == 3 && dilation.width == 1 }

  /// The output's shape for an input that has passed `outputShape`.
  func checkedOutput(_ input: FeatureShape) -> FeatureShape {
    guard let shape = try? outputShape(for: input) else { preconditionFailure("unchecked input \(input)") }
    return shape
  }
}
