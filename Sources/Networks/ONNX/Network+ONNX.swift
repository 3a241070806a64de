import Foundation
import Layers
import Tensors

extension Network {
  /// The network in ONNX, as in inference: from `images`, NCHW with any number of images, to `logits`, a row for each
  /// image, or NCHW where pixels are classified.
  ///
  /// - Parameters:
  ///   - image: the size of the images.
  ///   - scale: for a regression with standardised targets, the factors on the outputs and what is then added.
  ///   - metadata: metadata for the file in addition to ``metadata``.
  /// - Throws: a ``WorkbenchError`` that names a layer without a form in ONNX.
  package func onnx(
    for image: FeatureShape, scale: (factors: [Float], summands: [Float])? = nil,
    metadata more: [String: String] = [:]
  ) throws -> Data {
    let output = try outputShape(for: image), graph = ONNXGraph()
    var y = try graph.layer(("", self), ONNXGraph.input, image)
    if let scale {
      let shape = [1, scale.factors.count, 1, 1]
      y = graph.node("Mul", [y, graph.constant("target_deviation", Tensor(scale.factors, shape))])
      y = graph.node("Add", [y, graph.constant("target_mean", Tensor(scale.summands, shape))])
    }
    y =
      model.isDense
      ? graph.node("Identity", [y], output: "logits")
      : graph.node("Flatten", [y], ["axis": .int(1)], output: "logits")
    let extents =
      model.isDense ? [output.channels, output.height, output.width] : [output.count / output.batch]
    return try ONNXFile(
      graph: graph, name: model.name, input: [image.channels, image.height, image.width],
      output: (y, extents), metadata: more.merging(self.metadata) { $1 }
    ).data()
  }
}
