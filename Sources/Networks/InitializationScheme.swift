import Kernels
import Layers
import Tensors

/// A rule for initial weights that `--init` can name, with options after colons, like kernels.
package struct InitializationScheme: Sendable {
  /// The name.
  package let name: String
  /// One line: what it is.
  package let summary: String
  /// The options that may follow the name, as in `he:fan=out`.
  package let options: [any AnyKernelOption]
  fileprivate let make: @Sendable (KernelOptions) -> Initialization

  /// The name that leaves every model its own rule.
  package static let modelsOwn = "default"

  /// Every rule, in the order of lists.
  package static let all = [
    InitializationScheme(
      name: "he", summary: "variance gain² / fan (He et al., 2015, arXiv:1502.01852; Kaiming in PyTorch)",
      options: [fan, distribution, heGain]
    ) { .he($0[fan], $0[distribution], squaredGain: $0[heGain] * $0[heGain]) },
    InitializationScheme(
      name: "xavier", summary: "variance gain² · 2 / (fan in + fan out) (Glorot and Bengio, 2010)",
      options: [distribution, gain]
    ) { .xavier($0[distribution], squaredGain: $0[gain] * $0[gain]) },
    InitializationScheme(
      name: "normal", summary: "one deviation everywhere", options: [deviation]
    ) { .normal(deviation: $0[deviation]) },
    InitializationScheme(
      name: "truncated", summary: "normal, without values beyond the cut",
      options: [truncatedDeviation, cut]
    ) { .truncated(deviation: $0[truncatedDeviation], cut: $0[cut]) },
    InitializationScheme(
      name: "uniform", summary: "one range everywhere",
      options: [bound]
    ) { .uniform(bound: $0[bound]) },
    InitializationScheme(
      name: "orthogonal", summary: "orthonormal outputs times the gain (Saxe et al., 2013, arXiv:1312.6120)",
      options: [gain]
    ) { .orthogonal(gain: $0[gain]) },
    InitializationScheme(
      name: "pytorch", summary: "uniform within ±1/√(fan in), the default of PyTorch's layers",
      options: []
    ) { _ in .pyTorch },
    InitializationScheme(name: "zeros", summary: "nothing but zeros", options: []) { _ in .zeros },
  ]

  private static let fan = KernelOption(
    "fan", .word, initial: Initialization.Fan.input,
    help: "k² · input channels / groups, which keeps the forward pass's variance, or k² · output channels")
  private static let distribution = KernelOption(
    "distribution", .word, initial: Initialization.Distribution.normal, help: "of values of that variance")
  private static let gain = gain(initial: 1), heGain = gain(initial: 2.0.squareRoot())
  private static let deviation = deviation(initial: 0.01), truncatedDeviation = deviation(initial: 0.02)
  private static let cut = KernelOption("cut", .number(0.1...100), initial: 2, help: "in deviations")
  private static let bound = KernelOption(
    "bound", .number(0...1000), initial: 0.05, help: "the largest value, ±")

  private static func gain(initial: Double) -> KernelOption<Double> {
    KernelOption(
      "gain", .number(0...1000), initial: initial, help: "√2 if ReLUs follow, 1 if nothing follows")
  }

  private static func deviation(initial: Double) -> KernelOption<Double> {
    KernelOption("deviation", .number(0...1000), initial: initial, help: "the standard deviation")
  }

  /// The rule that an item of `--init` names; nil for `default`, which leaves each model its own.
  ///
  /// - Throws: a ``WorkbenchError`` that says what is wrong with the item.
  package static func chosen(_ item: String) throws -> ChosenInitialization? {
    guard item != modelsOwn else { return nil }
    let parts = item.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard let scheme = all.first(where: { $0.name == parts[0] }) else {
      throw WorkbenchError(
        "There is no initialisation ‘\(parts[0])’; \(suggestion(for: parts[0], among: [modelsOwn] + all.map(\.name)))"
      )
    }
    let options = try KernelOptions(
      KernelOptions.pairs(parts.dropFirst(), of: item), among: scheme.options, of: scheme.name)
    // The canonical name of the rule.
    let unusual = scheme.options.filter { options.text(of: $0) != $0.initialText }
    let text = [scheme.name] + unusual.map { "\($0.name)=\(options.text(of: $0))" }
    return ChosenInitialization(item: text.joined(separator: ":"), rule: scheme.make(options))
  }
}

/// A rule for initial weights and how it was written.
package struct ChosenInitialization: Hashable, Sendable {
  /// The item of `--init`, without options that are at their defaults.
  package let item: String
  /// The rule.
  package let rule: Initialization
}

extension ChosenInitialization {
  /// Gives new values, which depend on the names, to all weights of convolutions and linear layers that multiply.
  ///
  /// Biases and normalisations keep their values. So do weights that are not factors, such as an adder's, and learned
  /// or predicted positions, which start on their grid.
  package func apply(to layer: any Layer, random: Random) {
    for named in layer.parameters where named.takesInitialization {
      let parameter = named.parameter, shape = parameter.value.shape
      var random = random.split(named.name)
      // A linear layer is a 1×1 convolution.
      let whole = Array(repeating: 1, count: 4 - shape.count) + shape
      parameter.value = rule.weights(whole, using: &random).reshaped(shape)
    }
  }
}

extension NamedParameter {
  fileprivate var takesInitialization: Bool {
    switch parameter.layout {
    case .convolution, .matrix: parameter.role == .trained
    case .features, .plain: false
    }
  }
}
