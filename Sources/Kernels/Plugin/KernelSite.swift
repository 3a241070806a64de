import Layers
import Tensors

/// Everything that a kernel needs to make a layer for one place in a network.
public struct KernelSite: Sendable {
  /// The geometry of the layer.
  public var geometry: ConvolutionGeometry
  /// The options, checked against the kernel's list.
  public var options: KernelOptions
  /// Whether the layer adds a bias to its output.
  public var bias: Bool
  /// The algorithm to use, or nil to choose by shape.
  public var algorithm: String?
  /// The random numbers for initial weights.
  public var random: Random

  /// A site.
  public init(
    geometry: ConvolutionGeometry, options: KernelOptions = KernelOptions(), bias: Bool = false,
    algorithm: String? = nil, random: Random = Random(seed: 0)
  ) {
    self.geometry = geometry
    self.options = options
    self.bias = bias
    self.algorithm = algorithm == "auto" ? nil : algorithm
    self.random = random
  }
}

extension KernelSite {
  /// The algorithm for parts that do not have the kernel's algorithms: the definition if it was asked for, or the choice
  /// by shape.
  public var algorithmOfOtherParts: String? {
    algorithm == DirectOrReference.reference.rawValue ? algorithm : nil
  }

  /// The algorithm, for a layer outside the lists of algorithms.
  public func directOrReference() throws -> DirectOrReference {
    let name = algorithm ?? DirectOrReference.direct.rawValue
    guard let algorithm = DirectOrReference(rawValue: name) else {
      throw WorkbenchError("There is no algorithm ‘\(name)’ for this kernel; choose from direct, reference.")
    }
    return algorithm
  }
}

/// The two algorithms of a layer outside the lists of algorithms: its own code, and the definition.
public enum DirectOrReference: String, Sendable, CaseIterable {
  case direct, reference

  /// The names of both, as a kernel lists them.
  public static var names: [String] { allCases.map(\.rawValue) }
}
