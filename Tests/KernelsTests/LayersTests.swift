import Conformance
import Kernels
import Layers
import Tensors
import Testing

/// Layers that are no kernels, against their definitions.
@Suite(.serialized) struct LayersTests {
  struct Item: CustomTestStringConvertible, Sendable {
    let name: String
    let make: @Sendable (_ channels: Int) throws -> any Defined
    var testDescription: String { name }

    init(_ name: String, _ make: @escaping @Sendable (_ channels: Int) throws -> any Defined) {
      self.name = name
      self.make = make
    }
  }

  private static func linear(_ inputs: Int, _ outputs: Int) -> Linear {
    var random = Random(seed: 3)
    return Linear(inputs: inputs, outputs: outputs, random: &random)
  }

  static let items: [Item] = [
    Item("ReLU") { _ in ReLU() },
    Item("ReLU6") { _ in ReLU6() },
    Item("GELU") { _ in GELU() },
    Item("hard swish") { _ in HardSwish() },
    Item("layer normalisation") { LayerNormalization(channels: $0) },
    Item("channel scale") { ChannelScale(channels: $0, value: 0.5) },
    Item("sigmoid") { _ in Sigmoid() },
    Item("normalisation") { BatchNormalization(channels: $0) },
    Item("max pooling") { _ in MaxPooling(try PoolingWindow(size: 3, stride: 2, padding: 1)) },
    Item("max pooling beyond the edge") { _ in
      MaxPooling(try PoolingWindow(size: 2, stride: 3), roundsUp: true)
    },
    Item("average pooling") { _ in AveragePooling(try PoolingWindow(size: 3, stride: 2, padding: 1)) },
    Item("average pooling beyond the edge") { _ in
      AveragePooling(try PoolingWindow(size: 2, stride: 2), roundsUp: true)
    },
    Item("global pooling") { _ in AdaptiveAveragePooling() },
    Item("adaptive pooling") { _ in AdaptiveAveragePooling(height: 2, width: 3) },
    Item("enlarged") { _ in Upsampling(height: 13, width: 17) },
    Item("shrunk") { _ in Upsampling(height: 3, width: 2) },
    Item("enlarged, nearest") { _ in Upsampling(height: 13, width: 17, mode: .nearest) },
    Item("resized mean") { _ in Resized(AdaptiveAveragePooling(), every: (2, 2)) },
    Item("padding shortcut") { PaddingShortcut(stride: 2, inputs: $0, outputs: 2 * $0 + 1) },
    Item("cropping") { _ in Cropping(rows: 1, columns: 2) },
    Item("flattened") { _ in Flatten() },
    Item("linear") { linear($0, 7) },
    Item("channel pooling") { _ in ChannelPooling() },
    Item("mean and maximum") { MeanAndMaximum(linear($0, 5)) },
    Item("gate by channel") {
      Gate(Sequential([("mean", AdaptiveAveragePooling()), ("fc", linear($0, $0)), ("s", Sigmoid())]))
    },
    Item("gate by pixel") { _ in
      Gate(Sequential([("pool", ChannelPooling()), ("fc", linear(2, 1)), ("s", Sigmoid())]))
    },
    Item("sequence") {
      Sequential([
        ("a", linear($0, 6)), ("bn", BatchNormalization(channels: 6)), ("relu", ReLU()), ("b", linear(6, 4)),
      ])
    },
    Item("empty sequence") { _ in Sequential([]) },
    Item("identity beside") { Residual([("a", linear($0, $0)), ("relu", ReLU()), ("b", linear($0, $0))]) },
    Item("shortcut beside") { Residual([("a", linear($0, 5))], shortcut: ("b", linear($0, 5))) },
    Item("summed branches") {
      Branches([("a", linear($0, 5)), ("b", linear($0, 5)), ("c", linear($0, 5))], join: .sum)
    },
    Item("multiplied branches") {
      Branches(
        [
          ("a", linear($0, 5)), ("b", Sequential([("fc", linear($0, 5)), ("s", Sigmoid())])),
          ("c", linear($0, 5)),
        ],
        join: .product)
    },
    Item("joined branches") {
      Branches([("a", linear($0, 5)), ("", ReLU()), ("c", linear($0, 2))], join: .concatenation)
    },
    Item("branches of their own inputs") {
      Branches([("a", linear(1, 3)), ("b", linear($0 - 1, 2))], join: .concatenation, inputs: [1, $0 - 1])
    },
  ]

  @Test(arguments: items) func conforms(_ item: Item) throws {
    var conformance = Conformance()
    for shape in [
      FeatureShape(batch: 2, height: 6, width: 7, channels: 4),
      FeatureShape(batch: 1, height: 5, width: 5, channels: 35),
    ] {
      conformance.check("\(item.name) of \(shape)", on: shape) { try item.make(shape.channels) }
    }
    for failure in conformance.failures.prefix(5) { Issue.record("\(failure)") }
    let isExact = try item.make(4).isExactOnIntegers
    // Whole numbers and normal ones on both shapes; the former test nothing for functions that are no sums of products.
    #expect(conformance.checked == (isExact ? 4 : 2) && conformance.refusals.isEmpty)
  }

  /// Batches that all threads have a share of: every loop over pixels is cut somewhere.
  @Test(arguments: items) func threadsChangeNoBit(_ item: Item) throws {
    let layer = try item.make(150)
    var random = Random(seed: 5)
    let x = Tensor(normal: [5, 23, 25, 150], using: &random)
    let g = Tensor(normal: try layer.outputShape(for: FeatureShape(x)).extents, using: &random)
    func pass(_ threads: Int) -> [Tensor] {
      let context = Context(training: true, threads: threads)
      let y = layer.forward(x, context), dx = layer.backward(g, context)
      return [y, dx] + layer.parameters.compactMap(\.parameter.gradient)
    }
    let one = pass(1)
    #expect(pass(2) == one && pass(3) == one && pass(7) == one)
  }

  @Test func limitsAreReLU6s() {
    let values: [Float] = [-7, -0.5, 0, 0.5, 3, 5.5, 6, 6.5, 100, .nan]
    let relu = ReLU6(), context = Context(training: true, threads: 1)
    let x = Tensor((0..<50).map { values[$0 % 10] }, [1, 1, 5, 10])
    let y = relu.forward(x, context).values
    #expect(Array(y[20..<29]) == [0, 0, 0, 0.5, 3, 5.5, 6, 6, 6] && y[29].isNaN)
    let dx = relu.backward(Tensor(repeating: 2, x.shape), context).values
    #expect(Array(dx[20..<30]) == [0, 0, 0, 2, 2, 2, 0, 0, 0, 0])
  }

  @Test func dropoutScalesWhatItKeeps() {
    let dropout = Dropout(0.25, random: Random(seed: 1)), shape = [2, 20, 30, 40]
    let ones = Tensor(repeating: 1, shape), three = Context(training: true, threads: 3)
    let y = dropout.forward(ones, three), dx = dropout.backward(Tensor(repeating: 3, shape), three)
    #expect(Set(y.values) == [0, Float(1 / 0.75)])
    #expect(zip(y.values, dx.values).allSatisfy { 3 * $0 == $1 })
    // 48,000 draws: four standard deviations are 0.8 %.
    #expect(abs(Double(y.values.count { $0 == 0 }) / 48_000 - 0.25) < 0.008)
    #expect(dropout.forward(ones, Context(training: true, threads: 1)) == y)
    #expect(dropout.forward(ones, Context(training: false, threads: 1)) == ones)
  }

  /// What a parameter is for is said by its role, not by its name.
  @Test func positionsAreKnownByTheirRole() throws {
    let named = Sequential([("offset", Self.linear(4, 4)), ("bn", BatchNormalization(channels: 4))])
    #expect(named.parameters.filter(\.isPosition).isEmpty)
    #expect(
      named.parameters.count == 4 && named.buffers.map(\.name) == ["bn.running_mean", "bn.running_var"])
    let place = try ConvolutionGeometry(
      inputChannels: 4, outputChannels: 4, kernel: Pair(3), padding: Padding(Pair(1)))
    for (item, positions) in [
      "deformable-v2": ["offset.weight", "offset.bias"], "active": ["offset.taps"],
      "active-shift": ["offset.channels"], "standard": [], "adder": [],
    ] {
      let layer = try KernelRegistry.builtIn.choice(item).makeLayer(at: place, random: Random(seed: 1))
      #expect(layer.parameters.filter(\.isPosition).map(\.name) == positions, "\(item)")
    }
  }

  /// A layer of which nothing is known but that it runs.
  private final class Undefined: Layer {
    func outputShape(for input: FeatureShape) -> FeatureShape { input }
    func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost { Cost() }
    func forward(_ input: Tensor, _ context: Context) -> Tensor { input }
    func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
      gradient
    }
  }

  /// Forgets another branch's gradient.
  private final class Forgetful: Defined {
    func outputShape(for input: FeatureShape) -> FeatureShape { input }
    func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost { Cost() }
    func forward(_ input: Tensor, _ context: Context) -> Tensor { input }
    func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
      gradient
    }
    func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 { input }
  }

  @Test func whatIsMissingIsSaid() throws {
    var conformance = Conformance()
    let shape = FeatureShape(batch: 1, height: 2, width: 2, channels: 3)
    conformance.check("undefined", on: shape) { Sequential([("a", ReLU()), ("b", Undefined())]) }
    conformance.check("forgetful", on: shape) { Forgetful() }
    #expect(
      conformance.failures.prefix(1) == ["undefined, integers: has a part without a definition: Undefined."])
    #expect(conformance.failures.last?.contains("gradient to the input plus another one") == true)
  }
}
