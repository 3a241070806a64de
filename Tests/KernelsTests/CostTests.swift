import Compute
import Conformance
import Kernels
import Layers
import Tensors
import Testing

/// What passes cost, by kind, against counts made by hand.
struct CostTests {
  /// Two images of 5×6 pixels and 4 channels.
  let image = FeatureShape(batch: 2, height: 5, width: 6, channels: 4)

  func layer(_ item: String, outputs: Int, bias: Bool = false, stride: Int = 1) throws
    -> any KernelLayer
  {
    let place = try ConvolutionGeometry(
      inputChannels: 4, outputChannels: outputs, kernel: Pair(3), stride: Pair(stride),
      padding: Padding(Pair(1)))
    return try KernelRegistry.builtIn.choice(item).makeLayer(at: place, bias: bias, random: Random(seed: 0))
  }

  /// A 3×3 window on 60 pixels: 60 · 9 · 4 · 6 = 12,960 terms to 6 outputs, 8,640 to 4, 2,160 for each channel by itself,
  /// and as many bilinear samples. Bytes are four for each value of input (240), parameters and output (360 or 240).
  @Test(arguments: [
    (
      "standard", 6, true, Cost(parameters: 222, macs: 12_960, adds: 360, bytes: 4 * 822),
      Cost(parameters: 222, macs: 25_920, adds: 360, bytes: 8 * 822)
    ),
    (
      "adder", 6, false, Cost(parameters: 216, adds: 25_920, bytes: 4 * 816),
      Cost(parameters: 216, macs: 25_920, adds: 12_960, otherOps: 25_920, bytes: 8 * 816)
    ),
    // A sum and a comparison for each term; backward both again for each gradient.
    (
      "max-plus", 6, false, Cost(parameters: 216, adds: 12_960, otherOps: 12_960, bytes: 4 * 816),
      Cost(parameters: 216, adds: 25_920, otherOps: 25_920, bytes: 8 * 816)
    ),
    (
      "1x1", 6, false, Cost(parameters: 24, macs: 1_440, bytes: 4 * 624),
      Cost(parameters: 24, macs: 2_880, bytes: 8 * 624)
    ),
    (
      "depthwise", 4, false, Cost(parameters: 36, macs: 2_160, bytes: 4 * 516),
      Cost(parameters: 36, macs: 4_320, bytes: 8 * 516)
    ),
    ("shift", 4, false, Cost(bytes: 4 * 480), Cost(bytes: 4 * 480)),
    // A 1×1 convolution follows.
    (
      "shift", 6, false, Cost(parameters: 24, macs: 1_440, bytes: 4 * 624),
      Cost(parameters: 24, macs: 2_880, bytes: 8 * 624)
    ),
    // 7 operations a sample; backward 8 MACs.
    (
      "active-shift", 4, false, Cost(parameters: 8, otherOps: 1_680, bytes: 4 * 488),
      Cost(parameters: 8, macs: 1_920, bytes: 8 * 488)
    ),
    // The same for each tap, then the sum of 18 offsets' gradients over 60 pixels.
    (
      "active", 4, false, Cost(parameters: 162, macs: 8_640, otherOps: 15_120, bytes: 4 * 642),
      Cost(parameters: 162, macs: 17_280 + 17_280, adds: 1_080, otherOps: 15_120, bytes: 8 * 642)
    ),
    // The predictor: 60 · 36 · 18 = 38,880 terms and a bias on 1,080 outputs, which are the positions; backward the two
    // gradients to the input are summed.
    (
      "deformable", 4, false,
      Cost(parameters: 810, macs: 8_640 + 38_880, adds: 1_080, otherOps: 15_120, bytes: 4 * 2_370),
      Cost(parameters: 810, macs: 2 * 47_520 + 17_280, adds: 1_080 + 240, otherOps: 15_120, bytes: 8 * 2_370)
    ),
    // 27 outputs of the predictor, 540 of them masks.
    (
      "deformable-v2", 4, false,
      Cost(parameters: 1_143, macs: 8_640 + 58_320, adds: 1_620, otherOps: 17_280 + 540, bytes: 4 * 3_243),
      Cost(
        parameters: 1_143, macs: 2 * 66_960 + 17_280, adds: 1_620 + 540 + 240, otherOps: 17_280 + 1_080,
        bytes: 8 * 3_243)
    ),
    // One tile of 8×8 points an image: 40 frequencies, 96 butterflies a channel.
    (
      "fft", 4, false, Cost(parameters: 144, macs: 4 * 2 * 40 * 16, otherOps: 2 * 8 * 96, bytes: 4 * 624),
      Cost(parameters: 144, macs: 8 * 2 * 40 * 16, otherOps: 4 * 8 * 96 + 16 * 96, bytes: 8 * 624)
    ),
    // With a ReLU on 240 values.
    (
      "depthwise-separable:activation=relu", 6, false,
      Cost(parameters: 60, macs: 2_160 + 1_440, otherOps: 240, bytes: 4 * (516 + 624) + 8 * 240),
      Cost(parameters: 60, macs: 4_320 + 2_880, otherOps: 240, bytes: 8 * (516 + 624) + 12 * 240)
    ),
    // Mean, 1×1 to 2, ReLU, 1×1 to 4, sigmoid, gate.
    (
      "squeeze-excite:reduction=2", 4, false,
      Cost(
        parameters: 166, macs: 8_640 + 16 + 16, adds: 232 + 4 + 8, otherOps: 8 + 4 + 8 + 240,
        bytes: 4 * (624 + 248 + 22 + 24) + 8 * (4 + 8 + 240)),
      Cost(
        parameters: 166, macs: 17_280 + 32 + 32 + 240, adds: 240 + 4 + 8 + 8 + 240,
        otherOps: 8 + 4 + 16 + 240,
        bytes: 8 * (624 + 22 + 24) + 4 * 248 + 12 * (4 + 8) + 16 * 240)
    ),
    (
      "adder-l2", 6, false, Cost(parameters: 216, macs: 12_960, adds: 12_960, bytes: 4 * 816),
      Cost(parameters: 216, macs: 25_920, adds: 12_960, bytes: 8 * 816)
    ),
    // A dilation of each channel, and a 1×1.
    (
      "morphological:form=dilation", 4, false,
      Cost(
        parameters: 52, macs: 960, adds: 2_160, otherOps: 2_160, bytes: 4 * (516 + 496) + 8 * 240),
      Cost(
        parameters: 52, macs: 1_920, adds: 4_320, otherOps: 4_320, bytes: 8 * (516 + 496) + 8 * 240)
    ),
    // To two channels, and one window over each; the two are joined.
    (
      "ghost", 4, false,
      Cost(parameters: 90, macs: 4_320 + 1_080, bytes: 4 * (432 + 240 + 258) + 8 * 240),
      Cost(
        parameters: 90, macs: 8_640 + 2_160, adds: 120, bytes: 8 * (432 + 258) + 4 * 240 + 8 * 240)
    ),
    // One channel of four.
    (
      "partial", 4, false, Cost(parameters: 9, macs: 540, bytes: 4 * (129 + 360) + 8 * 240),
      Cost(parameters: 9, macs: 1_080, bytes: 8 * 129 + 4 * 360 + 8 * 240)
    ),
    (
      "star:activation=none", 4, false,
      Cost(parameters: 296, macs: 17_280, adds: 480, otherOps: 240, bytes: 2 * 4 * 628 + 8 * 240),
      Cost(
        parameters: 296, macs: 34_560, adds: 480 + 240, otherOps: 480, bytes: 2 * 8 * 628 + 24 * 240)
    ),
    // Mean, one number along the four channels, sigmoid, gate.
    (
      "eca", 4, false,
      Cost(
        parameters: 145, macs: 8_640 + 8, adds: 232, otherOps: 8 + 8 + 240,
        bytes: 4 * (624 + 248 + 17) + 8 * (8 + 240)),
      Cost(
        parameters: 145, macs: 17_280 + 16 + 240, adds: 240 + 8 + 240, otherOps: 8 + 16 + 240,
        bytes: 8 * (624 + 17) + 4 * 248 + 12 * 8 + 16 * 240)
    ),
    // 1×1 to one channel, normalisation, ReLU, 1×1 to nine weights for each pixel, and these.
    (
      "involution", 4, false,
      Cost(
        parameters: 24, macs: 240 + 540 + 2_160, adds: 540, otherOps: 120 + 60,
        bytes: 4 * (304 + 618 + 1_020) + 8 * 61 + 8 * 60),
      Cost(
        parameters: 24, macs: 480 + 180 + 1_080 + 4_320, adds: 120 + 540 + 240, otherOps: 60,
        bytes: 8 * (304 + 618 + 1_020) + 12 * 60 + 8 + 12 * 60)
    ),
    // Mean, 1×1 to two shares, sigmoid, two filters mixed for each of two images.
    (
      "condconv:filters=2", 4, false,
      Cost(
        parameters: 298, macs: 8_640 + 576 + 16, adds: 232 + 4, otherOps: 8 + 4,
        bytes: 4 * (1_344 + 22 + 248) + 8 * 4),
      Cost(
        parameters: 298, macs: 17_280 + 1_152 + 32, adds: 240 + 4 + 4 + 240, otherOps: 8 + 8,
        bytes: 8 * (1_344 + 22) + 4 * 248 + 12 * 4)
    ),
    // Four 1×1 convolutions, 1,800 pairs of pixels, a normalisation, a sum.
    (
      "non-local:form=dot:subsample=1", 4, false,
      Cost(
        parameters: 40, macs: 4 * 480 + 2 * 3_600, adds: 240, otherOps: 1_800 + 480,
        bytes: 4 * 4 * 368 + 16 * 1_800 + 8 * 244),
      Cost(
        parameters: 40, macs: 8 * 480 + 5 * 3_600 + 720, adds: 480 + 480 + 240, otherOps: 2 * 1_800,
        bytes: 8 * 4 * 368 + 32 * 1_800 + 12 * 240 + 32)
    ),
  ]) func countsAreExact(_ item: String, _ outputs: Int, _ bias: Bool, _ inference: Cost, _ backward: Cost)
    throws
  {
    let layer = try layer(item, outputs: outputs, bias: bias)
    #expect(try layer.cost(for: image, pass: .inference) == inference)
    #expect(try layer.cost(for: image, pass: .backward) == backward)
    let hasNormalization = !layer.buffers.isEmpty
    if !hasNormalization { #expect(try layer.cost(for: image, pass: .forward) == inference) }
  }

  /// 144 weights, 36 for each of 4 outputs: products with signs and powers of two are additions and shifts. In training the
  /// filter is made at each step.
  @Test(arguments: [
    (
      "binary", Cost(adds: 8_640, otherOps: 240), Cost(adds: 140, otherOps: 292),
      Cost(macs: 8_640, adds: 8_640 + 144, otherOps: 240 + 288)
    ),
    (
      "power-of-two", Cost(adds: 8_640, otherOps: 8_640), Cost(otherOps: 576),
      Cost(macs: 8_640, adds: 8_640, otherOps: 8_640)
    ),
    ("central-difference", Cost(macs: 8_640), Cost(macs: 144), Cost(macs: 17_280 + 144)),
    // Two means of 36 magnitudes for each output, a threshold; a magnitude, a comparison and a sign for each weight.
    (
      "ternary", Cost(adds: 8_640, otherOps: 240), Cost(adds: 4 * 2 * 35, otherOps: 4 * 3 + 3 * 144),
      Cost(macs: 8_640, adds: 8_640, otherOps: 240)
    ),
    // For each output a mean, a mean of squares, a root and its inverse; for each weight a difference and a product.
    // Backward, a mean and one of products; for each weight a difference, a product that is subtracted, and a product.
    (
      "standardized", Cost(macs: 8_640), Cost(macs: 144, adds: 4 * 35 + 144, otherOps: 4 * 4 + 144),
      Cost(macs: 17_280 + 2 * 144, adds: 4 * 35 + 144, otherOps: 4 * 2 + 144)
    ),
  ]) func filtersAreMadeInTraining(_ item: String, _ products: Cost, _ making: Cost, _ backward: Cost) throws
  {
    let layer = try layer(item, outputs: 4), arrays = Cost(parameters: 144, bytes: 4 * 624)
    #expect(try layer.cost(for: image, pass: .inference) == products + arrays)
    #expect(try layer.cost(for: image, pass: .forward) == products + making + arrays)
    #expect(
      try layer.cost(for: image, pass: .backward) == backward + Cost(parameters: 144, bytes: 8 * 624))
  }

  /// Three convolutions with normalisations in training, one in inference.
  @Test func branchesThatAreMergedCountInTraining() throws {
    let layer = try layer("asymmetric:form=acnet", outputs: 4)
    #expect(
      try layer.cost(for: image, pass: .inference)
        == Cost(parameters: 264, macs: 8_640, adds: 240, bytes: 4 * (480 + 148)))
    let forward = Cost(
      parameters: 264, macs: 8_640 + 2 * 2_880 + 3 * 240, adds: 3 * 480 + 480, otherOps: 3 * 480,
      bytes: 4 * (624 + 528 + 528) + 3 * 8 * 244 + 8 * 240)
    let backward = Cost(
      parameters: 264, macs: 2 * (8_640 + 2 * 2_880) + 3 * 720, adds: 3 * 480 + 480,
      bytes: 8 * (624 + 528 + 528) + 3 * (12 * 240 + 32))
    #expect(try layer.cost(for: image, pass: .forward) == forward)
    #expect(try layer.cost(for: image, pass: .backward) == backward)
    var both = forward + backward
    both.parameters = 264
    #expect(try layer.trainingCost(for: image) == both)
  }

  /// Algorithms change the speed, never the meaning.
  @Test(arguments: ConformanceTests.items) func countsDoNotDependOnTheAlgorithm(_ item: String) throws {
    let choice = try KernelRegistry.builtIn.choice(item)
    var compared = 0, made: [String: Set<String>] = [:]
    for test in try ConformanceCase.standardCases() {
      var costs: [[Cost]] = []
      for algorithm in ["auto"] + choice.kernel.algorithms {
        guard
          let layer = try? choice.makeLayer(
            at: test.place, bias: test.bias, algorithm: algorithm, random: Random(seed: 0)),
          (try? layer.outputShape(for: test.input)) != nil
        else { continue }
        made[algorithm, default: []].insert(test.name)
        costs.append(try Cost.Pass.allCases.map { try layer.cost(for: test.input, pass: $0) })
      }
      for cost in costs.dropFirst() { #expect(cost == costs[0], "\(item), \(test.name)") }
      compared += max(costs.count - 1, 0)
    }
    #expect(compared >= 12)
    #expect(made["reference"] == made["auto"], "\(item): \(made)")
  }

  /// 1, 10 and 100 MACs for inference, forward and backward.
  private final class Probe: Layer {
    func outputShape(for input: FeatureShape) -> FeatureShape { input }
    func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
      switch pass {
      case .inference: Cost(macs: 1)
      case .forward: Cost(macs: 10)
      case .backward: Cost(macs: 100)
      }
    }
    func forward(_ input: Tensor, _ context: Context) -> Tensor { input }
    func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor { gradient }
  }

  /// What is around a layer counts the layer's own passes.
  @Test func wrappersCountWhatIsInside() throws {
    let probe = Probe(),
      site = KernelSite(
        geometry: try ConvolutionGeometry(inputChannels: 4, outputChannels: 4, kernel: Pair(1)))
    let pixel = FeatureShape(batch: 1, height: 1, width: 1, channels: 4)
    let wrappers: [(name: String, layer: any Layer, own: [Int])] = [
      ("Sequential", Sequential([("a", probe)]), [0, 0, 0]),
      ("Residual", Residual([("a", probe)], shortcut: ("b", probe)), [1, 10, 100]),
      ("Branches", Branches([("a", probe), ("b", probe)], join: .sum), [1, 10, 100]),
      ("Concatenation", Branches([("a", probe), ("b", probe)], join: .concatenation), [1, 10, 100]),
      // To one pixel: four MACs a value back.
      ("Resized", Resized(probe), [0, 0, 16]),
      ("MeanAndMaximum", MeanAndMaximum(probe), [0, 0, 0]),
      ("Gate", Gate(probe), [0, 0, 4]),
      ("ComposedLayer", ComposedLayer(site, [("a", probe)]), [0, 0, 0]),
    ]
    for (name, layer, own) in wrappers {
      let macs = try Cost.Pass.allCases.map { try layer.cost(for: pixel, pass: $0).macs }
      #expect(macs == [1 + own[0], 10 + own[1], 100 + own[2]], "\(name)")
    }
  }

  /// Layers without weights have one gradient, not two.
  @Test func plainLayersCountTheirOwnBackwardPass() throws {
    let window = try PoolingWindow(size: 2, stride: 2)
    var random = Random(seed: 0)
    // Of 240 values; a 2×2 window has 2 · 2 · 3 · 4 = 48 outputs on them.
    let wanted: [(any Layer, Cost, Cost, Cost)] = [
      (
        ReLU(), Cost(otherOps: 240, bytes: 1_920), Cost(otherOps: 240, bytes: 1_920),
        Cost(otherOps: 240, bytes: 2_880)
      ),
      (
        ReLU6(), Cost(otherOps: 480, bytes: 1_920), Cost(otherOps: 480, bytes: 1_920),
        Cost(otherOps: 480, bytes: 2_880)
      ),
      (
        Sigmoid(), Cost(otherOps: 240, bytes: 1_920), Cost(otherOps: 240, bytes: 1_920),
        Cost(adds: 240, otherOps: 480, bytes: 2_880)
      ),
      (
        Dropout(0.5, random: random), Cost(), Cost(otherOps: 240, bytes: 2_880),
        Cost(otherOps: 240, bytes: 2_880)
      ),
      (Flatten(), Cost(bytes: 1_920), Cost(bytes: 1_920), Cost(bytes: 1_920)),
      (
        MaxPooling(window), Cost(otherOps: 144, bytes: 4 * 288), Cost(otherOps: 144, bytes: 4 * 288),
        Cost(adds: 48, bytes: 4 * 336)
      ),
      (
        AveragePooling(window), Cost(adds: 144, otherOps: 48, bytes: 4 * 288),
        Cost(adds: 144, otherOps: 48, bytes: 4 * 288), Cost(adds: 192, otherOps: 48, bytes: 4 * 288)
      ),
      (
        AdaptiveAveragePooling(), Cost(adds: 232, otherOps: 8, bytes: 4 * 248),
        Cost(adds: 232, otherOps: 8, bytes: 4 * 248), Cost(adds: 240, otherOps: 8, bytes: 4 * 248)
      ),
      (
        ChannelPooling(), Cost(adds: 180, otherOps: 240, bytes: 4 * 360),
        Cost(adds: 180, otherOps: 240, bytes: 4 * 360),
        Cost(adds: 60, otherOps: 60, bytes: 4 * 360)
      ),
      (
        BatchNormalization(channels: 4), Cost(parameters: 8, otherOps: 480, bytes: 1_952),
        Cost(parameters: 8, macs: 240, adds: 480, otherOps: 480, bytes: 1_952),
        Cost(parameters: 8, macs: 720, adds: 480, bytes: 2_912)
      ),
      (
        Linear(inputs: 4, outputs: 3, random: &random),
        Cost(parameters: 15, macs: 720, adds: 180, bytes: 4 * 435),
        Cost(parameters: 15, macs: 720, adds: 180, bytes: 4 * 435),
        Cost(parameters: 15, macs: 1_440, adds: 180, bytes: 8 * 435)
      ),
      (
        Upsampling(height: 2, width: 3), Cost(otherOps: 7 * 48, bytes: 4 * 288),
        Cost(otherOps: 7 * 48, bytes: 4 * 288),
        Cost(macs: 4 * 48, bytes: 4 * 288)
      ),
      (
        PaddingShortcut(stride: 2, inputs: 4, outputs: 6), Cost(bytes: 4 * 348), Cost(bytes: 4 * 348),
        Cost(bytes: 4 * 348)
      ),
    ]
    for (layer, inference, forward, backward) in wanted {
      let found = try Cost.Pass.allCases.map { try layer.cost(for: image, pass: $0) }
      #expect(found == [inference, forward, backward], "\(layer.typeName)")
    }
  }
}
