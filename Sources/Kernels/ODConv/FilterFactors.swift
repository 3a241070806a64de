import Layers
import Tensors

/// Factors on a filter: one for each tap, then one for each input channel, then one for each output channel.
///
/// They follow one another in an array, from a given position.
struct FilterFactors {
  let geometry: ConvolutionGeometry

  /// The number of factors.
  var count: Int { geometry.taps + geometry.inputChannels + geometry.outputChannels }

  /// The factors of a weight; `channel` is counted in its group.
  func places(_ tap: Int, _ channel: Int, _ output: Int) -> [Int] {
    let input = output / geometry.outputsPerGroup * geometry.channelsPerGroup + channel
    return [tap, geometry.taps + input, geometry.taps + geometry.inputChannels + output]
  }

  /// Three products for each weight. Backward, three for the filter's gradient, one with the filter, and for each of its
  /// factors one with another factor and one that is added.
  static func cost(weights: Int, pass: Cost.Pass) -> Cost {
    pass == .backward ? Cost(macs: 3 * weights, otherOps: 7 * weights) : Cost(otherOps: 3 * weights)
  }

  /// A filter with the factors.
  func applied(to filter: Tensor, _ a: UnsafePointer<Float>) -> Tensor {
    var result = filter
    result.withMutablePointer { w in
      forEachRow { row, tap, input, outputs in
        let factor = a[tap] * a[input], w = w + row * geometry.outputChannels
        let f = a + geometry.taps + geometry.inputChannels
        for output in outputs { w[output] *= factor * f[output] }
      }
    }
    return result
  }

  func applied(to filter: Tensor, _ a: Tensor, from first: Int) -> Tensor {
    a.withPointer { applied(to: filter, $0 + first) }
  }

  /// From the gradient to a filter with the factors to that without, and to the factors.
  func takeBack(
    _ gradient: inout Tensor, of filter: Tensor, _ a: Tensor, to factors: inout Tensor, from first: Int
  ) {
    var sums = Array(repeating: 0.0, count: count)
    let last = geometry.taps + geometry.inputChannels
    withPointers(filter, a) { w, a in
      gradient.withMutablePointer { g in
        let a = a + first
        forEachRow { row, tap, input, outputs in
          let start = row * geometry.outputChannels, g = g + start, w = w + start
          var sum = 0.0
          for output in outputs {
            let product = Double(g[output] * w[output])
            sum += product * Double(a[last + output])
            sums[last + output] += product * Double(a[tap] * a[input])
            g[output] *= a[tap] * a[input] * a[last + output]
          }
          sums[tap] += sum * Double(a[input])
          sums[input] += sum * Double(a[tap])
        }
      }
    }
    for (index, sum) in sums.enumerated() { factors[first + index] = Float(sum) }
  }

  /// Visits the weights of each tap, input channel and group: the number of the row of outputs, the places of the tap's and
  /// the input's factors, and the outputs of the group.
  private func forEachRow(_ body: (_ row: Int, _ tap: Int, _ input: Int, _ outputs: Range<Int>) -> Void) {
    let inputs = geometry.channelsPerGroup, outputs = geometry.outputsPerGroup
    for tap in 0..<geometry.taps {
      for channel in 0..<inputs {
        for group in 0..<geometry.groups {
          body(
            tap * inputs + channel, tap, geometry.taps + group * inputs + channel,
            group * outputs..<(group + 1) * outputs)
        }
      }
    }
  }
}

// What an image's factors do, in ONNX.
extension FilterFactors {
  /// What the taps read of the input, both times their factors: a channel for each input channel and tap.
  func onnxColumns(
    _ x: ONNXGraph.Value, _ a: ONNXGraph.Value, from first: Int, _ shape: FeatureShape, _ graph: ONNXGraph
  ) throws -> ONNXGraph.Value {
    let output = try geometry.outputShape(for: shape), taps = geometry.taps, inputs = geometry.inputChannels
    let scaled = graph.node(
      "Mul", [x, graph.slice(a, axis: 1, first + taps..<first + taps + inputs)])
    let columns = geometry.onnxConvolution(
      "Conv", [scaled, graph.constant("taps", geometry.unitWeights)], groups: inputs, graph)
    let factors = graph.reshaped(graph.slice(a, axis: 1, first..<first + taps), [0, 1, taps, 1, 1])
    let parts = graph.reshaped(columns, [0, inputs, taps, output.height, output.width])
    return graph.reshaped(
      graph.node("Mul", [parts, factors]), [0, inputs * taps, output.height, output.width])
  }

  /// A filter on such columns.
  func onnx(_ columns: ONNXGraph.Value, _ w: ONNXGraph.Value, _ graph: ONNXGraph) -> ONNXGraph.Value {
    let line = graph.reshaped(w, [0, geometry.channelsPerGroup * geometry.taps, 1, 1])
    return graph.node(
      "Conv", [columns, line], ["kernel_shape": .ints([1, 1]), "group": .int(geometry.groups)])
  }

  /// The factors of the outputs.
  func onnxOutputs(_ a: ONNXGraph.Value, from first: Int, _ graph: ONNXGraph) -> ONNXGraph.Value {
    let last = first + geometry.taps + geometry.inputChannels
    return graph.slice(a, axis: 1, last..<last + geometry.outputChannels)
  }
}
