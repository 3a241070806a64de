import Layers
import Tensors

/// A sampling that can be written as ONNX nodes.
public protocol ONNXSampling: Sampling {
  /// Writes a convolution that reads x where the sampling does.
  ///
  /// - Parameters:
  ///   - x: the input, NCHW; its shape is `shape`.
  ///   - shape: the input's shape, of one image.
  ///   - weight: OIHW.
  ///   - bias: one value for each output channel, or nil.
  ///   - groups: groups of channels that are convolved separately.
  ///   - graph: where the nodes go.
  func onnxConvolution(
    _ x: ONNXGraph.Value, _ shape: FeatureShape, weight: ONNXGraph.Value, bias: ONNXGraph.Value?, groups: Int,
    _ graph: ONNXGraph
  ) throws -> ONNXGraph.Value
}

/// A combination whose terms can be written as ONNX nodes; the product does not need them.
public protocol ONNXCombination: Combination {
  /// Writes the terms of x and w, element by element with broadcasting.
  func onnxTerms(_ x: ONNXGraph.Value, _ w: ONNXGraph.Value, _ graph: ONNXGraph) -> ONNXGraph.Value
}

/// Products become a convolution. Otherwise a convolution of ones and zeros lays out what each output pixel reads,
/// and plain operators compute and reduce the terms.
extension ConvolutionLayer: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    guard let sampling = sampling as? any ONNXSampling else {
      throw WorkbenchError(
        "The sampling \(type(of: self.sampling)) has no form in ONNX; its kernel cannot be exported."
      )
    }
    let bias = bias.map { graph.constant("bias", $0) }
    let filter = weight.value.toFileOrder(.convolution)
    if combination.isProduct {
      return try sampling.onnxConvolution(
        x, shape, weight: graph.constant("weight", filter), bias: bias, groups: geometry.groups, graph)
    }
    guard let combination = combination as? any ONNXCombination else {
      throw WorkbenchError(
        "The combination \(combination.name) has no form in ONNX; its kernel cannot be exported.")
    }
    let columns = try sampling.onnxConvolution(
      x, shape, weight: graph.constant("taps", geometry.unitWeights), bias: nil,
      groups: geometry.inputChannels, graph)
    let y = reduced(columns, filter, combination, try geometry.outputShape(for: shape), graph)
    guard let bias else { return y }
    return graph.node("Add", [y, graph.reshaped(bias, [1, -1, 1, 1])])
  }

  /// The terms of columns and weights, reduced.
  ///
  /// The terms of all outputs at once could fill the memory, so they are computed in parts.
  private func reduced(
    _ columns: ONNXGraph.Value, _ filter: Tensor, _ combination: any ONNXCombination, _ output: FeatureShape,
    _ graph: ONNXGraph
  ) -> ONNXGraph.Value {
    let groups = geometry.groups, outputs = geometry.outputsPerGroup
    let terms = geometry.taps * geometry.channelsPerGroup
    let x = graph.reshaped(columns, [0, groups, 1, terms, output.height, output.width])
    let most = max(1, Self.mostTerms / (groups * terms * output.height * output.width))
    let parts = stride(from: 0, to: outputs, by: most).map { first in
      let count = min(most, outputs - first)
      let own = (0..<groups).flatMap { group in
        let start = (group * outputs + first) * terms
        return (start..<start + count * terms).map { filter[$0] }
      }
      let w = graph.constant("weight", Tensor(own, [1, groups, count, terms, 1, 1]))
      return graph.reduced(
        combination.reduction == .sum ? "ReduceSum" : "ReduceMax", combination.onnxTerms(x, w, graph),
        axis: 3,
        keeps: false)
    }
    return graph.reshaped(
      graph.concatenated(parts, axis: 2), [0, geometry.outputChannels, output.height, output.width])
  }

  /// The terms of an image that are computed at a time: 16 MiB.
  private static let mostTerms = 1 << 22
}

extension ConvolutionGeometry {
  /// OIHW weights that lay out what a window reads: a channel for each input channel and tap.
  var unitWeights: Tensor {
    var weights = Tensor(repeating: 0, [inputChannels * taps, 1, kernel.height, kernel.width])
    for channel in 0..<inputChannels * taps { weights[channel * taps + channel % taps] = 1 }
    return weights
  }

  /// The attributes of a convolution, or of a deformable one, in ONNX.
  func onnxConvolution(
    _ type: String, _ inputs: [ONNXGraph.Value?], groups: Int, offsetGroups: Int? = nil, _ graph: ONNXGraph
  ) -> ONNXGraph.Value {
    let window: [ONNXGraph.Attribute] = [
      .ints([kernel.height, kernel.width]), .ints([stride.height, stride.width]),
      .ints([padding.top, padding.left, padding.bottom, padding.right]),
      .ints([dilation.height, dilation.width]), .int(groups),
    ]
    guard let offsetGroups else {
      return graph.node(
        type, inputs,
        [
          "kernel_shape": window[0], "strides": window[1], "pads": window[2], "dilations": window[3],
          "group": window[4],
        ])
    }
    return graph.node(
      type, inputs,
      [
        "kernel_shape": window[0], "strides": window[1], "pads": window[2], "dilations": window[3],
        "group": window[4], "offset_group": .int(offsetGroups),
      ])
  }
}
