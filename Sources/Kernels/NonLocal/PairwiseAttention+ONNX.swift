import Layers
import Tensors

extension PairwiseAttention: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let query = try queries.outputShape(for: shape), key = try keys.outputShape(for: shape)
    let pixels = query.height * query.width, places = key.height * key.width
    /// Pixels in rows, [N, pixels, channels], or as they are, [N, channels, pixels].
    func matrix(_ layer: NamedLayer, _ channels: Int, _ count: Int, inRows: Bool) throws -> ONNXGraph.Value {
      let columns = graph.reshaped(try graph.layer(layer, x, shape), [0, channels, count])
      return inRows ? graph.node("Transpose", [columns], ["perm": .ints([0, 2, 1])]) : columns
    }
    let q = try matrix(("theta", queries), query.channels, pixels, inRows: true)
    let k = try matrix(("phi", keys), key.channels, places, inRows: false)
    let v = try matrix(("g", values), width, places, inRows: true)
    let y = graph.node("MatMul", [similarity(q, k, places, graph), v])
    return graph.reshaped(
      graph.node("Transpose", [y], ["perm": .ints([0, 2, 1])]), [0, width, query.height, query.width])
  }

  private func similarity(
    _ q: ONNXGraph.Value, _ k: ONNXGraph.Value, _ places: Int, _ graph: ONNXGraph
  ) -> ONNXGraph.Value {
    switch form {
    case .embedded, .gaussian:
      return graph.node("Softmax", [graph.node("MatMul", [q, k])], ["axis": .int(-1)])
    case .dot: return graph.scalar("Mul", graph.node("MatMul", [q, k]), 1 / Float(places))
    case .concatenation:
      let w = weight?.value.values ?? []
      let left = graph.constant("left", Tensor(Array(w.prefix(width)), [width, 1]))
      let right = graph.constant("right", Tensor(Array(w.dropFirst(width)), [1, width]))
      let sums = graph.node("Add", [graph.node("MatMul", [q, left]), graph.node("MatMul", [right, k])])
      return graph.scalar("Mul", graph.node("Relu", [sums]), 1 / Float(places))
    }
  }
}
