import Compute
import Tensors

/// `main(x) + shortcut(x)`; without a shortcut layer, `main(x) + x` (He et al., 2015, arXiv:1512.03385).
public final class Residual: Container, Defined, TorchPrinted, HoldsDecisions {
  /// The name of the sum among a block's steps.
  package static let addition = "add"

  private let main: Sequential
  private let shortcut: NamedLayer?
  public let children: [NamedLayer]
  public let printedName: String

  /// A residual connection.
  ///
  /// - Parameters:
  ///   - main: named layers in sequence.
  ///   - shortcut: the layer in parallel with them and its name, or nil for the identity.
  ///   - printedName: what PyTorch calls this kind of block.
  public init(_ main: [NamedLayer], shortcut: NamedLayer? = nil, printedName: String = "Residual") {
    self.main = Sequential(main)
    self.shortcut = shortcut
    self.printedName = printedName
    children = main + (shortcut.map { [$0] } ?? [])
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try main.outputShape(for: input)
    let other = try shortcut?.layer.outputShape(for: input) ?? input
    guard output == other else {
      throw WorkbenchError(
        "A residual block's branches give \(output) and \(other), but must agree; choose a kernel and padding that keep the size."
      )
    }
    return output
  }

  /// The main branch's layers, the shortcut's, and the addition; backward, the gradients to the input are added.
  public func steps(for input: FeatureShape) throws -> [ContainerStep] {
    let output = try outputShape(for: input)
    let addition = ContainerOperation(name: Self.addition, type: "Add", output: output) {
      Cost(adds: $0 == .backward ? input.count : output.count)
    }
    return try main.steps(for: input) + (shortcut.map { [.layer($0, input)] } ?? []) + [.operation(addition)]
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    guard context.training else { return infer(input, .none, context) }
    var result = main.forward(input, context)
    result.add(shortcut.map { context.run($0, input) } ?? input, threads: context.threads)
    return result
  }

  /// In training, `relu(main(x) + shortcut(x))`: the normalisations at the branches' ends, the sum and the ReLU in one
  /// pass.
  public func forwardRectified(_ input: Tensor, _ context: Context) -> Tensor {
    let sum = main.forwardUnfinished(input, context)
    var other = Unfinished(values: input)
    if let shortcut {
      other.values = context.run(shortcut.name, shortcut.layer, input) { input in
        guard let sequence = shortcut.layer as? any LeavesLastStep else {
          return shortcut.layer.forward(input, context)
        }
        other = sequence.forwardUnfinished(input, context)
        return other.values
      }
    }
    return sum.rectifiedSum(with: other, context)
  }

  /// The shortcut is added, and the epilogue applied, while the main branch's last layer stores its output.
  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    let other = shortcut.map { shortcut in
      context.run(shortcut.name, shortcut.layer, input) { shortcut.layer.infer($0, .none, context) }
    }
    guard epilogue.normalization == nil, epilogue.residual == nil else {
      return epilogue.applied(to: infer(input, .none, context), context)
    }
    var own = epilogue
    own.residual = other ?? input
    return main.infer(input, own, context)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let count = main.parameters.count
    return main.reference(input, Array(parameters.prefix(count)), training: training)
      + (shortcut?.layer.definition(input, Array(parameters.dropFirst(count)), training: training) ?? input)
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    guard input.isNeeded else {
      if let shortcut { _ = context.runBackward(shortcut.layer, copy gradient, input: .unneeded) }
      return main.backward(gradient, input: .unneeded, context)
    }
    let other =
      shortcut.map { context.runBackward($0.layer, copy gradient, input: .needed) } ?? copy gradient
    return input.total(main.backward(gradient, input: .plus(other), context), threads: context.threads)
  }
}

extension Residual: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let y = try graph.layer(("", main), x, shape)
    let other = try shortcut.map { try graph.layer($0, x, shape) } ?? x
    return graph.node("Add", [y, other])
  }
}
