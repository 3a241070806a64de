import Foundation
import Layers
import Tensors

extension Network {
  /// The network in ONNX, as in inference: from `images`, NCHW with any number of images, to `logits`, a row for each image,
  /// or NCHW where pixels are classified.
  ///
  /// - Parameters:
  ///   - image: the size of the images.
  ///   - scale: what the outputs are multiplied by, and what is added then; of a regression, whose targets are standardised.
  ///   - metadata: what the file is to say besides ``metadata``.
  /// - Throws: a ``WorkbenchError`` that names the layer that does not say what it is in ONNX.
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
      description.isDense
      ? graph.node("Identity", [y], output: "logits")
      : graph.node("Flatten", [y], ["axis": .int(1)], output: "logits")
    let extents =
      description.isDense ? [output.channels, output.height, output.width] : [output.count / output.batch]
    return try ONNXFile(
      graph: graph, name: description.name, input: [image.channels, image.height, image.width],
      output: (y, extents), metadata: more.merging(self.metadata) { $1 }
    ).data()
  }
}
