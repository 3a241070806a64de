import Layers
import Tensors

/// What a kernel makes its layer from.
public struct KernelSite: Sendable {
  /// The geometry, exactly as the layer is to have it.
  public var geometry: ConvolutionGeometry
  /// The options, checked against the kernel's list.
  public var options: KernelOptions
  /// Whether a bias is added to the output.
  public var bias: Bool
  /// The algorithm that is to be used, or nil for the choice by shape.
  public var algorithm: String?
  /// Where initial weights come from.
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
