import Kernels
import Layers
import Tensors

/// A residual block: `relu(main(x) + shortcut(x))`, its layers named as torchvision names them.
package final class ResidualBlock: Container, Defined, TorchPrinted, HoldsDecisions {
  private let kind: ResidualDescription.Block
  private let residual: Residual
  private let relu = ReLU()

  /// A block of the named layers, with the identity or a shortcut in parallel.
  init(
    _ kind: ResidualDescription.Block, _ main: [NamedLayer], shortcut: (any Layer)?
  ) {
    self.kind = kind
    residual = Residual(main, shortcut: shortcut.map { ("downsample", $0) })
  }

  package var children: [NamedLayer] { residual.children }

  package func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try residual.outputShape(for: input)
  }

  package func steps(for input: FeatureShape) throws -> [ContainerStep] {
    try residual.steps(for: input) + [.layer(("relu", relu), outputShape(for: input))]
  }

  package func forward(_ input: Tensor, _ context: Context) -> Tensor {
    guard context.training else { return infer(input, .none, context) }
    // Held decisions are the ReLU's own.
    if context.decisions != nil { return relu.forward(residual.forward(input, context), context) }
    let output = residual.forwardRectified(input, context)
    relu.keep(output: output, context)
    context.report(rectified: output, of: relu)
    return output
  }

  package func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    epilogue.applied(to: residual.infer(input, Epilogue(relu: true), context), context)
  }

  package func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    residual.backward(relu.backward(gradient, context), input: input, context)
  }

  package func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    relu.reference(residual.reference(input, parameters, training: training), [], training: training)
  }

  /// As torchvision calls it.
  package var printedName: String { kind.printedName }

  /// torchvision's blocks have one ReLU, listed where it is first used.
  package var printedChildren: [NamedLayer] {
    var printed = children.filter { child in
      if case .rectifier = (child.layer as? any EpiloguePart)?.part { return false }
      return true
    }
    printed.insert(("relu", relu), at: kind == .bottleneck ? 6 : 2)
    return printed
  }
}

extension ResidualBlock: ONNXExported {
  package func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    try graph.layer(("relu", relu), graph.layer(("", residual), x, shape), residual.outputShape(for: shape))
  }
}
