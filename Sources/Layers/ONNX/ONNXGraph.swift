import Tensors

/// The nodes of a network in ONNX, which its layers write one after the other.
///
/// Feature maps are NCHW, as in all files. Their number is free; their size is known while the nodes are written.
public final class ONNXGraph {
  /// What a node reads or writes, by its name.
  public struct Value: Hashable, Sendable {
    /// The name, unique in its graph.
    package let name: String
  }

  /// An attribute of a node.
  public enum Attribute: Equatable, Sendable {
    /// A whole number.
    case int(Int)
    /// A real number.
    case float(Float)
    /// Whole numbers.
    case ints([Int])
    /// A text.
    case string(String)
  }

  /// An operator and what it is applied to.
  package struct Node {
    package let name: String, type: String
    /// The values that it reads; an empty name stands for one that is left out.
    package let inputs: [String]
    package let output: String
    package let attributes: [(name: String, value: Attribute)]
  }

  /// An array that belongs to the graph.
  package struct Constant {
    package let name: String, shape: [Int], values: Values

    package enum Values {
      /// Single precision, in the order of files.
      case floats(Tensor)
      /// Whole numbers of 64 bits.
      case integers([Int])
    }
  }

  /// The input: the images, NCHW.
  package static let input = Value(name: "images")

  /// The nodes in order: each reads only what comes before it.
  package private(set) var nodes: [Node] = []
  /// The arrays that they read.
  package private(set) var constants: [Constant] = []
  private var path = ""
  private var taken: Set<String> = [input.name]

  package init() {}

  /// A node of a type of the standard operators, version 19; returns its first output.
  ///
  /// - Parameters:
  ///   - type: the operator's name in ONNX, such as `Conv`.
  ///   - inputs: in the operator's order; nil for one that is left out.
  ///   - attributes: the operator's attributes by their names in ONNX.
  ///   - output: the output's name; by default made of the layer's and the type.
  public func node(
    _ type: String, _ inputs: [Value?], _ attributes: KeyValuePairs<String, Attribute> = [:],
    output: String? = nil
  ) -> Value {
    let name = unique(output ?? (path.isEmpty ? type : "\(path)/\(type)"))
    nodes.append(
      Node(
        name: name, type: type, inputs: inputs.map { $0?.name ?? "" }, output: name,
        attributes: attributes.map { ($0.key, $0.value) }))
    return Value(name: name)
  }

  /// An array of single precision, in the order of files (NCHW, OIHW).
  public func constant(_ name: String, _ tensor: Tensor) -> Value {
    constant(name, tensor.shape, .floats(tensor))
  }

  /// A parameter of the layer that is being written, or a buffer, as files have it: under the same name.
  public func constant(_ name: String, _ parameter: Parameter) -> Value {
    constant(name, parameter.value.toFileOrder(parameter.layout))
  }

  /// A list of whole numbers.
  public func constant(_ name: String, _ values: [Int]) -> Value {
    constant(name, [values.count], .integers(values))
  }

  private func constant(_ name: String, _ shape: [Int], _ values: Constant.Values) -> Value {
    let name = unique(dotted(path, name))
    constants.append(Constant(name: name, shape: shape, values: values))
    return Value(name: name)
  }

  private func unique(_ name: String) -> String {
    var result = name, number = 1
    while !taken.insert(result).inserted {
      result = "\(name)_\(number)"
      number += 1
    }
    return result
  }

  /// The nodes of a layer inside the one that is being written.
  ///
  /// - Parameters:
  ///   - named: the layer and its name inside the one that is being written.
  ///   - x: its input.
  ///   - shape: the input's shape, of one image.
  /// - Throws: a `WorkbenchError` that names the layer, if it is not `ONNXExported`.
  public func layer(_ named: NamedLayer, _ x: Value, _ shape: FeatureShape) throws -> Value {
    let outer = path
    path = dotted(path, named.name)
    defer { path = outer }
    guard let layer = named.layer as? any ONNXExported else {
      let place = path.isEmpty ? "A layer" : path
      throw WorkbenchError(
        "\(place) is a layer of the type \(named.layer.typeName), which has no form in ONNX; its kernel or model cannot be exported."
      )
    }
    return try layer.onnx(x, shape, self)
  }

  /// Layers one after the other.
  public func sequence(_ layers: [NamedLayer], _ x: Value, _ shape: FeatureShape) throws -> Value {
    var x = x, shape = shape
    for named in layers {
      x = try layer(named, x, shape)
      shape = try named.layer.outputShape(for: shape)
    }
    return x
  }
}

// Nodes that several layers write.
extension ONNXGraph {
  /// x in another shape; 0 stands for the same extent, -1 for the remaining one.
  public func reshaped(_ x: Value, _ shape: [Int]) -> Value {
    node("Reshape", [x, constant("shape", shape)])
  }

  /// A part of x along an axis: `range`, every `step`-th.
  public func slice(_ x: Value, axis: Int, _ range: Range<Int>, step: Int = 1) -> Value {
    node(
      "Slice",
      [
        x, constant("starts", [range.lowerBound]), constant("ends", [range.upperBound]),
        constant("axes", [axis]), constant("steps", [step]),
      ])
  }

  /// Values one after the other along an axis.
  public func concatenated(_ parts: [Value], axis: Int) -> Value {
    parts.count == 1 ? parts[0] : node("Concat", parts, ["axis": .int(axis)])
  }

  /// `ReduceSum`, `ReduceMean` or `ReduceMax` over one axis.
  public func reduced(_ type: String, _ x: Value, axis: Int, keeps: Bool = true) -> Value {
    node(type, [x, constant("axes", [axis])], ["keepdims": .int(keeps ? 1 : 0)])
  }

  /// x with a number added to, or multiplied by, each of its values: `Add`, `Mul`.
  public func scalar(_ type: String, _ x: Value, _ number: Float) -> Value {
    node(type, [x, constant("factor", Tensor([number], []))])
  }
}
