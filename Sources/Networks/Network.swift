import Kernels
import Layers
import Tensors

/// A network with a kernel that replaces its convolutions.
package final class Network: Chain, Wrapper {
  /// What it was built from.
  package let model: any ModelDescription
  /// The kernel, as ``Kernels/KernelChoice/canonicalItem`` writes it.
  package let kernel: String
  /// The item of `--conv` at each convolution's place, by its name.
  private let items: [String: String]
  package let inner: any Layer

  /// Builds a network, or throws which convolution the kernel cannot replace, and why.
  ///
  /// - Parameters:
  ///   - model: what to build.
  ///   - kernel: what takes the place of the convolutions that the model names; where it joins several kernels,
  ///     each in its stage or block.
  ///   - standard: what all other convolutions are made by.
  ///   - algorithm: what the kernel is computed by; nil for the choice by shape.
  ///   - seed: what the initial weights depend on; each layer's also on its name, so that two kernels start
  ///     with the same weights everywhere else.
  package init(
    _ model: any ModelDescription, kernel: KernelChoice, standard: KernelChoice,
    algorithm: String? = nil, seed: UInt64
  ) throws {
    try model.check(kernel)
    self.model = model
    self.kernel = kernel.canonicalItem
    let net = NetworkBuilder(
      model, kernel: kernel, standard: standard, algorithm: algorithm, random: Random(seed: seed))
    inner = try model.makeBody(net)
    items = net.items
    model.initialization?.apply(to: inner, random: Random(seed: seed).split("init"))
  }

  package func outputShape(for input: FeatureShape) throws -> FeatureShape {
    do {
      return try inner.outputShape(for: input)
    } catch let error as WorkbenchError {
      throw WorkbenchError(
        "\(model.name) cannot take \(input.channels)×\(input.height)×\(input.width) images: \(error)")
    }
  }

  package func forward(_ input: Tensor, _ context: Context) -> Tensor { context.run(("", inner), input) }

  package func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    context.run("", inner, input) { inner.infer($0, epilogue, context) }
  }

  package func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    context.runBackward(inner, gradient, input: input)
  }

  package func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try inner.cost(for: input, pass: pass)
  }

  /// A row for each layer, in the order in which they run.
  package func summaries(for input: FeatureShape) throws -> [LayerSummary] {
    try LayerSummary.rows(of: inner, for: input).map { row in
      var row = row
      row.kernel = items[row.name]
      return row
    }
  }

  package var printedName: String { model.printedName }
}
