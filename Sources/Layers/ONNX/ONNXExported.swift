import Tensors

/// A layer that says what it is in ONNX, so that other programs can run it: operators of version 19, as in inference.
///
/// A wrapper forwards; a container writes its children by ``ONNXGraph/layer(_:_:_:)``, which refuses those that say nothing.
public protocol ONNXExported: Layer {
  /// Writes the layer's nodes and returns its output.
  ///
  /// - Parameters:
  ///   - x: the input, NCHW.
  ///   - shape: its shape; the batch stands for any number of images, so that nothing may depend on it.
  ///   - graph: where the nodes go.
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
}
