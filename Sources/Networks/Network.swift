import Kernels
import Layers
import Tensors

/// A network with a kernel in place of its convolutions.
public final class Network: Chain, HoldsDecisions {
  /// What it was built from.
  public let description: any ModelDescription
  /// The kernel, as ``Kernels/KernelChoice/canonicalItem`` writes it.
  public let kernel: String
  /// The item of `--conv` behind each convolution, by its name.
  private let items: [String: String]
  private let body: any Layer

  public var children: [NamedLayer] { [("", body)] }

  /// Builds a network, or says which convolution the kernel cannot serve and why.
  ///
  /// - Parameters:
  ///   - description: what to build.
  ///   - kernel: what takes the place of the convolutions that the description names.
  ///   - standard: what all other convolutions are made by.
  ///   - algorithm: what the kernel is computed by; nil for the choice by shape.
  ///   - seed: what the initial weights depend on; each layer's also on its name, so that two kernels start
  ///     with the same weights everywhere else.
  public init(
    _ description: any ModelDescription, kernel: KernelChoice, standard: KernelChoice,
    algorithm: String? = nil, seed: UInt64
  ) throws {
    self.description = description
    self.kernel = kernel.canonicalItem
    let net = NetworkBuilder(
      description, kernel: kernel, standard: standard, algorithm: algorithm, random: Random(seed: seed))
    body = try description.makeBody(net)
    items = net.items
    description.initialization?.apply(to: body, random: Random(seed: seed).split("init"))
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    do {
      return try body.outputShape(for: input)
    } catch let error as WorkbenchError {
      throw WorkbenchError(
        "\(description.name) cannot take \(input.channels)×\(input.height)×\(input.width) images: \(error)")
    }
  }

  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try body.cost(for: input, pass: pass)
  }
  public func forward(_ input: Tensor, _ context: Context) -> Tensor { body.forward(input, context) }
  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    body.reference(input, parameters, training: training)
  }
  public func backward(_ gradient: consuming Tensor, _ context: Context) -> Tensor {
    body.backward(gradient, context)
  }

  /// A row for each layer, in the order in which they run.
  public func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary] {
    try body.summaries(name, for: input).map { row in
      var row = row
      row.kernel = items[row.name]
      return row
    }
  }

  public var printedName: String { description.printedName }
}
