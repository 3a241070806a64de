import Tensors

/// A layer that forwards to another one of the same shape, except for what it changes.
///
/// Everything is forwarded by default, so a wrapper implements only what it changes.
public protocol Wrapper: Defined, TorchPrinted, HoldsDecisions, ONNXExported {
  /// The inner layer.
  var inner: any Layer { get }
}

extension Wrapper {
  /// The inner layer under no name: a wrapper leaves no trace in files.
  public var children: [NamedLayer] { [("", inner)] }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try inner.outputShape(for: input)
  }

  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try inner.cost(for: input, pass: pass)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor { inner.forward(input, context) }

  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    inner.infer(input, epilogue, context)
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    inner.backward(gradient, input: input, context)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    inner.definition(input, parameters, training: training)
  }

  public func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? { (inner as? any Defined)?.referenceGradients(input, parameters, gradient) }

  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    try graph.layer(("", inner), x, shape)
  }

  public var printedName: String { inner.typeName }
  public var printedArguments: String { (inner as? any TorchPrinted)?.printedArguments ?? "" }
}
