import Kernels
import Layers
import Tensors

/// Checks that layers agree with their definitions: every kernel × algorithm × awkward shape, and other layers.
///
/// A package with its own kernels can run it on its registry.
public struct Conformance: Sendable {
  /// The failures, one sentence each.
  public private(set) var failures: [String] = []
  /// The number of kernel × algorithm × shape × data combinations that were computed.
  public private(set) var checked = 0
  /// The same by algorithm; zero if it refused everything.
  public private(set) var checkedByAlgorithm: [String: Int] = [:]
  /// The combinations that a kernel refused, with its reason.
  public private(set) var refusals: [String] = []
  /// How many of these there are for each reason.
  public private(set) var refusalsByReason: [String: Int] = [:]

  private let announce: @Sendable (String) -> Void
  private var label = ""
  /// An empty record.
  ///
  /// - Parameter announce: called with the name of each combination before it is computed, such as
  ///   `cross, auto, stride 2, integers`.
  public init(announce: @escaping @Sendable (String) -> Void = { _ in }) { self.announce = announce }

  /// Checks one item of `--conv` on all its algorithms and the given cases.
  public mutating func check(_ choice: KernelChoice, cases: [ConformanceCase]) {
    for algorithm in ["auto"] + choice.kernel.algorithms.filter({ $0 != "auto" }) {
      let before = checked
      defer { checkedByAlgorithm[algorithm, default: 0] += checked - before }
      for test in cases {
        check(
          "\(choice.item), \(algorithm), \(test.name)", on: test.input,
          isExact: { layer in
            (layer as? any ChoosesAlgorithm)?.isExactOnIntegers(algorithm)
              ?? (algorithm == DirectOrReference.direct.rawValue)
          }
        ) {
          let layer = try choice.makeLayer(
            at: test.place, bias: test.bias, algorithm: algorithm, random: Random(seed: 7))
          _ = try layer.outputShape(for: test.input)
          guard algorithm == "auto" || layer.algorithm == algorithm else {
            throw Wrong(sentence: "runs \(layer.algorithm) instead")
          }
          return layer
        }
      }
    }
  }

  /// A layer that is wrong before it runs.
  private struct Wrong: Error { let sentence: String }

  /// Checks a layer.
  ///
  /// - Parameters:
  ///   - name: for sentences.
  ///   - isExact: whether it is exact on small whole numbers, if its definition is.
  ///   - make: makes the layer; if it throws, the combination counts as refused.
  public mutating func check(
    _ name: String, on input: FeatureShape, isExact: Bool = true, _ make: () throws -> any Defined
  ) {
    check(name, on: input, isExact: { _ in isExact }, make)
  }

  private mutating func check(
    _ name: String, on input: FeatureShape, isExact: (any Defined) -> Bool, _ make: () throws -> any Defined
  ) {
    StoragePool.beginPoisoning()
    defer { StoragePool.endPoisoning() }
    for data in Numbers.allCases {
      label = "\(name), \(data)"
      announce(label)
      do {
        let layer = try make()
        if let part = layer.firstWithoutDefinition {
          fail("has a part without a definition: \(part.typeName)")
          continue
        }
        let output = try layer.outputShape(for: input)
        // A normalisation over a few values leaves little but rounding; integer data test nothing for functions that
        // are not sums of products.
        if !layer.buffers.isEmpty && output.pixels < 24 { continue }
        if !layer.isExactOnIntegers && data == .integers { continue }
        checked += 1
        run(layer, input, output, data, exact: data == .integers && isExact(layer))
      } catch let wrong as Wrong {
        fail(wrong.sentence)
      } catch {
        refusals.append("\(label): \(error)")
        refusalsByReason["\(error)", default: 0] += 1
      }
    }
  }

  /// The contents of the arrays.
  private enum Numbers: CaseIterable, CustomStringConvertible {
    /// Small whole numbers: sums are exact in single precision, so that results can be compared bit for bit.
    case integers
    /// Normal numbers.
    case normals

    var description: String { self == .integers ? "integers" : "normal numbers" }

    func tensor(_ shape: [Int], _ random: inout Random) -> Tensor {
      switch self {
      case .normals: return Tensor(normal: shape, using: &random)
      case .integers:
        return Tensor((0..<shape.reduce(1, *)).map { _ in Float(random.below(7) - 3) }, shape)
      }
    }
  }

  private mutating func run(
    _ layer: any Defined, _ inputShape: FeatureShape, _ outputShape: FeatureShape, _ data: Numbers,
    exact: Bool
  ) {
    var random = Random(seed: 42)
    let x = data.tensor(inputShape.extents, &random)
    let g = data.tensor(outputShape.extents, &random)
    for named in layer.parameters {
      // Predicted positions are small and not whole numbers, where bilinear sampling has a kink and rounding decides
      // the side.
      let shape = named.parameter.value.shape
      if named.isPosition {
        named.parameter.value = Tensor(normal: shape, deviation: 0.04, using: &random)
      } else if layer.isExactOnIntegers {
        named.parameter.value = data.tensor(shape, &random)
      } else {
        // As in an untrained network; otherwise exponentials and sigmoids would be saturated.
        let inputs = shape.dropLast().reduce(1, *)
        named.parameter.value = Tensor(
          normal: shape, deviation: 1 / Double(inputs).squareRoot(), using: &random)
      }
    }
    let parameters = layer.parameters.map { Tensor64($0.parameter.value) }
    let hasPositions = layer.parameters.contains(where: \.isPosition)
    let exact = exact && !hasPositions && layer.isExactOnIntegers

    let one = pass(layer, x, g, threads: 1), three = pass(layer, x, g, threads: 3)
    if one != three { fail("gives different bits with three threads than with one") }
    if FeatureShape(one[0]) != outputShape { fail("gives \(one[0].shape), but announces \(outputShape)") }
    if one.count != layer.parameters.count + 2 {
      fail("gives \(one.count - 2) gradients for \(layer.parameters.count) parameters")
    }
    for (gradient, parameter) in zip(one.dropFirst(2), layer.parameters)
    where gradient.shape != parameter.parameter.value.shape {
      fail("gives a gradient of shape \(gradient.shape) to \(parameter.name)")
    }
    for counted in Cost.Pass.allCases {
      let cost = try? layer.cost(for: inputShape, pass: counted)
      if let cost, cost.parameters != layer.parameterCount {
        fail("counts \(cost.parameters) parameters, but has \(layer.parameterCount)")
      }
    }
    if data == .normals { checkInputGradients(layer, x, g, one, &random) }

    let output = layer.reference(Tensor64(x), parameters, training: true)
    compare(one[0], output, "output", exact: exact)
    let inferred =
      layer.buffers.isEmpty ? output : layer.reference(Tensor64(x), parameters, training: false)
    checkInference(layer, x, inferred, &random)
    let arrays = [Tensor64(x)] + parameters
    let definition = layer.referenceGradients(arrays[0], parameters, Tensor64(g))
    if let definition {
      for (index, wanted) in ([definition.input] + definition.parameters).enumerated() {
        compare(one[index + 1], wanted, "gradient \(index)", exact: exact)
      }
    }
    if data == .normals && !layer.hasOwnGradients {
      checkDifferences(layer, arrays, Tensor64(g), one, definition, &random)
    }
  }

  /// Whether the input gradient is needed changes nothing else, and another branch's gradient is added to it.
  private mutating func checkInputGradients(
    _ layer: any Defined, _ x: Tensor, _ g: Tensor, _ alone: [Tensor], _ random: inout Random
  ) {
    if pass(layer, x, g, threads: 1, input: .unneeded).dropFirst(2) != alone.dropFirst(2) {
      fail("gives different gradients to its parameters as a network's first layer")
    }
    let other = Tensor(normal: x.shape, using: &random)
    let sum = pass(layer, x, g, threads: 3, input: .plus(other))
    if sum.dropFirst(2) != alone.dropFirst(2) {
      fail("gives different gradients to its parameters when another branch's gradient is added")
    }
    compare(
      sum[1], Tensor64(alone[1]) + Tensor64(other), "gradient to the input plus another one", exact: false)
  }

  /// Inference with a fused normalisation, residual and ReLU gives the same as these in sequence.
  private mutating func checkInference(
    _ layer: any Defined, _ x: Tensor, _ output: Tensor64, _ random: inout Random
  ) {
    let channels = output.shape[3]
    let normalization = BatchNormalization(channels: channels)
    normalization.weight.value = Tensor(normal: [channels], using: &random)
    normalization.bias.value = Tensor(normal: [channels], using: &random)
    normalization.runningMean.value = Tensor(normal: [channels], using: &random)
    normalization.runningVariance.value = Tensor(uniform: [channels], in: 0.5..<2, using: &random)
    let residual = Tensor(normal: output.shape, using: &random)
    let (scale, shift) = normalization.affine
    var wanted = output
    for index in wanted.values.indices {
      let channel = index % channels
      let sum =
        wanted.values[index] * Double(scale[channel]) + Double(shift[channel]) + Double(residual[index])
      wanted.values[index] = min(max(sum, 0), 1)
    }
    let context = Context(training: false, threads: 1)
    compare(layer.forward(x, context), output, "output in inference", exact: false)
    let epilogue = Epilogue(normalization: normalization, residual: residual, relu: true, most: 1)
    let one = layer.infer(x, epilogue, context)
    // Even if the ReLU leaves little, the size of its argument bounds the rounding.
    let scaleOfSums =
      output.values.reduce(0) { max($0, abs($1)) } * Double(scale.reduce(0) { max($0, abs($1)) })
    compare(one, wanted, "output with what follows it", exact: false, atLeast: scaleOfSums)
    var unprepared = context
    unprepared.keepsPreparedWeights = false
    if one != layer.infer(x, epilogue, unprepared) {
      fail("gives different bits in inference when prepared weights are not kept")
    }
    if one != layer.infer(x, epilogue, Context(training: false, threads: 3)) {
      fail("gives different bits in inference with three threads than with one")
    }
  }

  /// Compares gradients with central differences, at some places of each array.
  ///
  /// Differences are accurate to about 1e-9 of the largest value if the function is smooth, so the reference must
  /// agree to 1e-7; the fast pass is in single precision.
  private mutating func checkDifferences(
    _ layer: any Defined, _ arrays: [Tensor64], _ g: Tensor64, _ found: [Tensor],
    _ definition: ReferenceGradients?, _ random: inout Random
  ) {
    let largest = found.dropFirst().map { $0.values.reduce(1e-3) { max($0, Double(abs($1))) } }
    for array in arrays.indices {
      let gradient = found[array + 1].values
      // In a composed kernel, the rounding of one part reaches the gradients of all others, which may be smaller.
      let scale = layer.isExactOnIntegers ? largest[array] : largest.max() ?? 0
      let count = arrays[array].values.count
      for index in Set((0..<10).map { _ in random.below(count) }).sorted() {
        let difference = layer.finiteDifference(arrays, g, array: array, index: index)
        if let definition {
          let wanted = array == 0 ? definition.input : definition.parameters[array - 1]
          if !(abs(wanted.values[index] - difference) <= 1e-7 * max(1, scale)) {
            return fail(
              "its reference gradient \(array) is \(wanted.values[index]) at \(index), but differences give \(difference)"
            )
          }
        }
        if !(abs(Double(gradient[index]) - difference) <= 2e-5 * scale) {
          return fail(
            "its gradient \(array) is \(gradient[index]) at \(index), but differences give \(difference)")
        }
      }
    }
  }

  /// Output, input gradient, and the parameters' gradients.
  private func pass(
    _ layer: any Defined, _ x: Tensor, _ g: Tensor, threads: Int, input: InputGradient = .needed
  ) -> [Tensor] {
    let context = Context(training: true, threads: threads)
    for named in layer.parameters { named.parameter.gradient = nil }
    let y = layer.forward(x, context)
    return [y, layer.backward(g, input: input, context)] + layer.parameters.compactMap(\.parameter.gradient)
  }

  /// Single precision holds 24 bits and sums here have at most some hundred terms: 2e-5 of the largest value
  /// leaves room for a rounding error of 2⁻²⁴ in each term, and for a Fourier transform's few levels more.
  private mutating func compare(
    _ found: Tensor, _ wanted: Tensor64, _ what: String, exact: Bool, atLeast least: Double = 1e-3
  ) {
    guard found.shape == wanted.shape else {
      return fail("its \(what) has the shape \(found.shape), not \(wanted.shape)")
    }
    let scale = wanted.values.reduce(0) { max($0, abs($1)) }
    let tolerance = exact ? 0 : 2e-5 * max(scale, least)
    for (index, (a, b)) in zip(found.values, wanted.values).enumerated()
    where !(abs(Double(a) - b) <= tolerance) {
      return fail("its \(what) is \(a) at \(index), not \(b) (largest \(scale))")
    }
  }

  private mutating func fail(_ sentence: String) { failures.append("\(label): \(sentence).") }
}
