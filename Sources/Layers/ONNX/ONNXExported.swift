import Tensors

/// A layer that can be written as ONNX nodes, with operators of version 19, as it is in inference.
///
/// A wrapper forwards to its inner layer; a container writes its children with ``ONNXGraph/layer(_:_:_:)``, which
/// refuses layers that are not `ONNXExported`.
public protocol ONNXExported: Layer {
  /// Writes the layer's nodes and returns its output.
  ///
  /// - Parameters:
  ///   - x: the input, NCHW.
  ///   - shape: its shape; the batch stands for any number of images, so that nothing may depend on it.
  ///   - graph: where the nodes go.
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
}
