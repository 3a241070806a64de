import Layers
import Tensors

/// The algorithms for each pass. Among equal estimates the first wins; the definition is last.
public struct Algorithms: Sendable {
  /// For y.
  public var forward: [any Algorithm]
  /// For dx.
  public var inputGradient: [any Algorithm]
  /// For dw.
  public var weightGradient: [any Algorithm]

  /// Those of this package.
  public static let builtIn = Algorithms(
    forward: [
      Depthwise(), DepthwiseMaxima(), Narrow(), WindowRows(), Sliding(), Direct(), Maxima(),
      Winograd(.four), Winograd(.two), Fourier(), Reference(),
    ],
    inputGradient: [
      Depthwise(), DepthwiseMaxima(), Narrow(), Sliding(), Direct(), Winograd(.four), Winograd(.two),
      Fourier(), Reference(),
    ],
    weightGradient: [
      Depthwise(), DepthwiseMaxima(), WindowRows(), Sliding(), Direct(), Winograd(.four), Winograd(.two),
      Fourier(), Reference(),
    ])

  /// Those for a pass.
  public subscript(_ pass: Pass) -> [any Algorithm] {
    switch pass {
    case .forward: forward
    case .inputGradient: inputGradient
    case .weightGradient: weightGradient
    }
  }

  /// These with one more for the given passes, which comes first.
  public func adding(_ algorithm: any Algorithm, for passes: [Pass]) -> Algorithms {
    var result = self
    if passes.contains(.forward) { result.forward.insert(algorithm, at: 0) }
    if passes.contains(.inputGradient) { result.inputGradient.insert(algorithm, at: 0) }
    if passes.contains(.weightGradient) { result.weightGradient.insert(algorithm, at: 0) }
    return result
  }

  /// Those of the given names.
  public func only(_ names: String...) -> Algorithms {
    func kept(_ list: [any Algorithm]) -> [any Algorithm] { list.filter { names.contains($0.name) } }
    return Algorithms(
      forward: kept(forward), inputGradient: kept(inputGradient), weightGradient: kept(weightGradient))
  }

  /// The names of those that can compute a combination for at least one of some geometries, for lists; by default
  /// common 3×3 ones.
  public static func names(
    for combination: any Combination = Product(), readsRegularGrid: Bool = true, window: Int = 3
  ) -> [String] {
    let places = [(64, 64, 1), (3, 64, 1), (64, 64, 64), (64, 64, 16), (64, 64, 2)].compactMap {
      inputs, outputs, groups in
      try? ConvolutionGeometry(
        inputChannels: inputs, outputChannels: outputs, kernel: Pair(window),
        padding: Padding(Pair(window / 2)),
        groups: groups)
    }
    return builtIn.forward.filter { algorithm in
      places.contains {
        algorithm.refusal(Operation($0, combination, readsRegularGrid: readsRegularGrid), .forward, nil)
          == nil
      }
    }.map(\.name)
  }
}
