import Foundation
import Layers
import Tensors

/// The file of a graph: `ModelProto` of onnx.proto, with operators of version 19, which first has `DeformConv`.
///
/// Numbers of fields and types are onnx.proto's.
struct ONNXFile {
  /// The nodes and their arrays.
  let graph: ONNXGraph
  /// The graph's name, and the workbench's version.
  let name: String
  var version = workbenchVersion
  /// The extents of an input or output after the number of images, which is free.
  let input: [Int], output: (value: ONNXGraph.Value, extents: [Int])
  /// What else is to be known.
  let metadata: [String: String]

  private static let formatVersion = 9, operators = 19
  /// Messages of Protocol Buffers are smaller than 2 GiB.
  private static let limit = 1 << 31

  /// The file's bytes.
  ///
  /// - Throws: a ``WorkbenchError`` if there would be too many.
  func data() throws -> Data {
    let bytes = graph.constants.reduce(0) { sum, constant in
      sum + constant.shape.reduce(1, *) * (constant.isFloat ? 4 : 8)
    }
    guard bytes < Self.limit - (1 << 24) else {
      throw WorkbenchError(
        "The network's \(bytes >> 20) MiB of weights do not fit into an ONNX file, which is smaller than 2 GiB; use a smaller model."
      )
    }
    var model = ProtobufMessage()
    model.add(1, Self.formatVersion)
    model.add(2, "convolution-workbench")
    model.add(3, version)
    model.add(7, graphMessage)
    model.add(8) { $0.add(2, Self.operators) }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      model.add(14) { entry in
        entry.add(1, key)
        entry.add(2, value)
      }
    }
    return model.data
  }

  private func graphMessage(_ message: inout ProtobufMessage) {
    for node in graph.nodes { message.add(1) { Self.write(node, &$0) } }
    message.add(2, name)
    for constant in graph.constants { message.add(5) { Self.write(constant, &$0) } }
    message.add(11) { Self.write(ONNXGraph.input, input, &$0) }
    message.add(12) { Self.write(output.value, output.extents, &$0) }
  }

  private static func write(_ node: ONNXGraph.Node, _ message: inout ProtobufMessage) {
    for input in node.inputs { message.add(1, input) }
    message.add(2, node.output)
    message.add(3, node.name)
    message.add(4, node.type)
    for (name, value) in node.attributes {
      message.add(5) { attribute in
        attribute.add(1, name)
        switch value {
        case .float(let value):
          attribute.add(2, value)
          attribute.add(20, 1)
        case .int(let value):
          attribute.add(3, value)
          attribute.add(20, 2)
        case .string(let text):
          attribute.add(4, text)
          attribute.add(20, 3)
        case .ints(let values):
          for value in values { attribute.add(8, value) }
          attribute.add(20, 7)
        }
      }
    }
  }

  private static func write(_ constant: ONNXGraph.Constant, _ message: inout ProtobufMessage) {
    for extent in constant.shape { message.add(1, extent) }
    message.add(2, constant.isFloat ? 1 : 7)
    message.add(8, constant.name)
    switch constant.values {
    case .floats(let tensor):
      message.add(9, tensor.withPointer { Data(bytes: $0, count: 4 * tensor.count) })
    case .integers(let values):
      message.add(9, values.map { Int64($0) }.withUnsafeBytes { Data($0) })
    }
  }

  /// Feature maps of any number of images.
  private static func write(
    _ value: ONNXGraph.Value, _ extents: [Int], _ message: inout ProtobufMessage
  ) {
    message.add(1, value.name)
    message.add(2) { type in
      type.add(1) { tensor in
        tensor.add(1, 1)
        tensor.add(2) { shape in
          shape.add(1) { $0.add(2, "batch") }
          for extent in extents { shape.add(1) { $0.add(1, extent) } }
        }
      }
    }
  }
}

extension ONNXGraph.Constant {
  /// Whether its values have single precision.
  fileprivate var isFloat: Bool {
    if case .floats = values { true } else { false }
  }
}
