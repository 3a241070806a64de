import Kernels
import Layers
import Tensors
import Testing

/// What the papers of the newer operators claim, in small.
struct RecentEffectTests {
  private let inference = Context(training: false, threads: 1)

  private func layer(_ item: String, _ channels: Int, _ window: Int = 3) throws -> any KernelLayer {
    let place = try ConvolutionGeometry(
      inputChannels: channels, outputChannels: channels, kernel: Pair(window),
      padding: Padding(Pair(window / 2)))
    return try KernelRegistry.builtIn.choice(item).makeLayer(at: place, random: Random(seed: 1))
  }

  /// An image that is zero but for one channel of its middle pixel.
  private func impulse(_ channel: Int, of channels: Int, extent: Int) -> Tensor {
    var x = Tensor(repeating: 0, [1, extent, extent, channels])
    x[(extent / 2 * extent + extent / 2) * channels + channel] = 1
    return x
  }

  /// How many columns wide the outputs are that an impulse changes; transforms leave rounding errors outside.
  private func reach(_ layer: any KernelLayer, _ channels: Int, extent: Int = 19) -> Int {
    let flat = layer.forward(Tensor(repeating: 0, [1, extent, extent, channels]), inference)
    let y = layer.forward(impulse(0, of: channels, extent: extent), inference)
    let columns = (0..<extent).filter { column in
      stride(from: column * channels, to: y.count, by: extent * channels).contains { start in
        (start..<start + channels).contains { abs(y[$0] - flat[$0]) > 1e-5 }
      }
    }
    return (columns.last ?? 0) - (columns.first ?? 0) + 1
  }

  private func cost(_ item: String, _ channels: Int) throws -> Cost {
    try layer(item, channels).cost(
      for: FeatureShape(batch: 1, height: 8, width: 8, channels: channels), pass: .inference)
  }

  /// Han et al.'s ratio of compression: close to r where the small windows are few beside the convolution.
  @Test(arguments: [2, 4]) func ghostsCostAShare(_ ratio: Int) throws {
    let ghost = try cost("ghost:ratio=\(ratio)", 64), standard = try cost("standard", 64)
    let convolved = 64 / ratio * 64 * 9, windows = (64 - 64 / ratio) * 9
    #expect(ghost.parameters == convolved + windows && ghost.macs == 64 * (convolved + windows))
    #expect(Double(standard.macs) / Double(ghost.macs) > 0.9 * Double(ratio))
  }

  /// A convolution of 1×1 is linear: of even functions it fits only the mean. Splines fit x².
  @Test func kolmogorovArnoldLayersFitAParabola() throws {
    let xs = (0..<64).map { Float($0) / 31.5 - 1 }, x = Tensor(xs, [64, 1, 1, 1])
    func residual(_ item: String) throws -> Double {
      let layer = try layer(item, 1, 1), context = Context(training: true, threads: 1)
      var error = 0.0
      for _ in 0..<2000 {
        let y = layer.forward(x, context)
        var gradient = y
        error = 0
        for index in 0..<64 {
          // The parabola without its mean.
          let difference = y[index] - (xs[index] * xs[index] - 1.0 / 3)
          gradient[index] = difference / 32
          error += Double(difference * difference) / 64
        }
        _ = layer.backward(gradient, input: .unneeded, context)
        for parameter in layer.parameters.map(\.parameter) {
          guard let slope = parameter.gradient else { continue }
          parameter.value = Tensor(
            zip(parameter.value.values, slope.values).map { $0 - 0.3 * $1 }, slope.shape)
        }
      }
      return error
    }
    // The variance of x² on −1 … 1 is 4/45.
    #expect(try residual("standard") > 0.95 * 4 / 45)
    #expect(try residual("kan") < 0.02 * 4 / 45)
  }

  /// Haase and Amthor's blueprints: an output has one window, scaled for each input channel.
  @Test func blueprintsAreScaled() throws {
    for (item, isScaled) in [("blueprint:share=0", true), ("standard", false)] {
      let layer = try layer(item, 4)
      let a = layer.forward(impulse(0, of: 4, extent: 5), inference)
      let b = layer.forward(impulse(1, of: 4, extent: 5), inference)
      for output in 0..<4 {
        let window = stride(from: output, to: 100, by: 4)
        // Both are multiples of one window: their product of sums is that of their norms.
        let dot = window.reduce(0) { $0 + Double(a[$1] * b[$1]) }
        let norms = [a, b].map { x in window.reduce(0) { $0 + Double(x[$1] * x[$1]) } }
        let cosine = abs(dot) / (norms[0] * norms[1]).squareRoot()
        #expect((cosine > 0.9999) == isScaled, "\(item): \(cosine)")
      }
    }
  }

  /// Tan and Le: some channels see 3×3 pixels, others 5×5 and 7×7.
  @Test func mixedWindowsHaveTheirChannels() throws {
    let layer = try layer("mixed-depthwise", 6)
    for channel in 0..<6 {
      let y = layer.forward(impulse(channel, of: 6, extent: 9), inference)
      let seen = (0..<9).count { column in
        (0..<9).contains { row in y[(row * 9 + column) * 6 + channel] != 0 }
      }
      #expect(seen == 3 + channel / 2 * 2)
    }
  }

  /// Duta et al.: windows of up to 9×9 with fewer weights than a 3×3 convolution.
  @Test func pyramidsSeeFartherForLess() throws {
    let layer = try layer("pyramidal", 64)
    #expect(reach(layer, 64) == 9)
    #expect(layer.parameterCount == 16 * (64 * 9 + 16 * 25 + 8 * 49 + 4 * 81))
    #expect(try layer.parameterCount < self.layer("standard", 64).parameterCount)
  }

  /// Chen et al.: with a quarter of the channels a sixteenth of the products.
  @Test func partialConvolutionsSaveProducts() throws {
    #expect(try 16 * cost("partial", 64).macs == cost("standard", 64).macs)
  }

  /// Filters that are mixed for each image hold n times the weights at about the products of one.
  @Test(arguments: [("condconv", 8), ("dynamic", 4), ("odconv", 4)]) func mixedFiltersAddWeightsNotProducts(
    _ name: String, _ filters: Int
  ) throws {
    let mixed = try cost("\(name):filters=\(filters)", 16), standard = try cost("standard", 16)
    #expect(mixed.parameters > filters * standard.parameters)
    // Mixing costs n products for each weight, here a share of n / 64 pixels, and the attention a few.
    #expect(Double(mixed.macs) < (1.1 + Double(filters) / 64) * Double(standard.macs))
  }

  /// Li et al.'s factors depend on the image, so twice the image is not twice the output.
  @Test func attentionOnFiltersIsNotLinear() throws {
    var random = Random(seed: 3)
    let x = Tensor(normal: [1, 6, 6, 8], using: &random)
    for (item, isLinear) in [("standard", true), ("odconv:filters=1", false), ("condconv", false)] {
      let layer = try layer(item, 8), y = layer.forward(x, inference)
      let twice = layer.forward(Tensor(x.values.map { 2 * $0 }, x.shape), inference)
      let largest = y.values.map(abs).max() ?? 0
      let difference = zip(y.values, twice.values).map { abs(2 * $0 - $1) }.max() ?? 0
      #expect((difference < 1e-5 * largest) == isLinear, "\(item)")
    }
  }

  /// Li et al.: 0.7 of the mean magnitude leaves about two fifths of normal weights at zero.
  @Test func ternaryWeightsAreSparse() throws {
    let convolution = try #require(try layer("ternary", 32) as? ConvolutionLayer)
    let values = convolution.weight.value.values
    let share = Double(values.count { $0 == 0 }) / Double(values.count)
    // P(|z| < 0.7 · √(2/π)) = 0.4235; of 9,216 weights within 5 standard errors of 0.005.
    #expect(abs(share - 0.4235) < 0.026, "\(share)")
  }

  /// Rastegari et al.: of binary inputs only the sign counts, and sums are whole multiples of α.
  @Test func binaryInputsAreSigns() throws {
    var random = Random(seed: 8)
    let layer = try layer("binary:inputs=binary", 4), x = Tensor(normal: [1, 6, 6, 4], using: &random)
    let y = layer.forward(x, inference)
    #expect(y == layer.forward(Tensor(x.values.map { 7 * $0 }, x.shape), inference))
    let w = try #require(layer.parameters.first?.parameter.value)
    for output in 0..<4 {
      let own = stride(from: output, to: w.count, by: 4).map { abs(Double(w[$0])) }
      let alpha = own.reduce(0, +) / Double(own.count)
      for index in stride(from: output, to: y.count, by: 4) {
        let sum = Double(y[index]) / alpha
        #expect(abs(sum - sum.rounded()) < 1e-4 && abs(sum) < 36.5)
      }
    }
  }

  /// Elhoushi et al.: a weight is off by at most a factor of √2, so that the filter keeps its direction.
  @Test func powersOfTwoAreClose() throws {
    let (plain, shifts) = (try layer("standard", 8), try layer("power-of-two", 8))
    let w = try #require(plain.parameters.first?.parameter.value.values)
    let rounded = try #require(shifts as? ConvolutionLayer).weight.value.values
    #expect(w.count == rounded.count)
    for (w, rounded) in zip(w, rounded) where w != 0 {
      let ratio = rounded / w
      #expect(ratio > 0.7071 && ratio < 1.4143)
    }
  }

  /// Wang et al.: as many weights for any window. A channel adds a few, not a filter for each output.
  @Test func attentionOfChannelsIsSmall() throws {
    #expect(try cost("eca", 64).parameters - cost("standard", 64).parameters == 3)
    #expect(try cost("involution:window=7", 64).parameters < cost("standard", 64).parameters)
  }

  /// Ma et al.: without biases the product of two convolutions is of the second degree.
  @Test func starsAreQuadratic() throws {
    var random = Random(seed: 4)
    let layer = try layer("star:activation=none", 4), x = Tensor(normal: [1, 5, 5, 4], using: &random)
    for parameter in layer.parameters where parameter.name.hasSuffix("bias") {
      parameter.parameter.value = Tensor(repeating: 0, parameter.parameter.value.shape)
    }
    let y = layer.forward(x, inference),
      thrice = layer.forward(Tensor(x.values.map { 3 * $0 }, x.shape), inference)
    let largest = y.values.map(abs).max() ?? 0
    for (y, thrice) in zip(y.values, thrice.values) { #expect(abs(9 * y - thrice) < 1e-4 * largest) }
  }

  /// Hou et al.: a gate of a pixel knows its whole row and column.
  @Test func coordinatesReachAlongRowsAndColumns() throws {
    let layer = try layer("coordinate-attention", 8)
    var random = Random(seed: 5)
    let x = Tensor(normal: [1, 9, 9, 8], using: &random), y = layer.forward(x, inference)
    var changed = x
    for channel in 0..<8 { changed[channel] += 1 }
    let z = layer.forward(changed, inference)
    func differs(_ row: Int, _ column: Int) -> Bool {
      (0..<8).contains { y[(row * 9 + column) * 8 + $0] != z[(row * 9 + column) * 8 + $0] }
    }
    #expect(differs(0, 8) && differs(8, 0) && !differs(8, 8))
  }

  /// Wang et al. and Xiong et al.: samples move to where they are needed; the weights of a window sum to one in version 3
  /// and have no bounds in version 4.
  @Test(arguments: [("dcnv3", true), ("dcnv4", false)]) func gatheredSamplesMove(
    _ item: String, _ sumsToOne: Bool
  ) throws {
    let layer = try layer(item, 16)
    func parameter(_ name: String) throws -> Parameter {
      try #require(layer.parameters.first { $0.name == name }?.parameter)
    }
    let flat = Tensor(repeating: 1, [1, 9, 9, 16]), middle = 40 * 16..<41 * 16
    let before = layer.forward(flat, inference).values[middle]
    var random = Random(seed: 7)
    let mask = try parameter("mask.bias"), first = mask.value
    mask.value = Tensor(normal: [9], using: &random)
    let after = layer.forward(flat, inference).values[middle]
    let change = zip(before, after).map { abs($0 - $1) }.max() ?? 0
    #expect((change < 1e-5) == sumsToOne, "\(change)")
    mask.value = first
    #expect(reach(layer, 16) == 3)
    let offset = try parameter("offset.bias")
    let moves = (0..<18).map { index -> Float in
      let tap = index / 2
      return 2.5 * Float(index % 2 == 0 ? tap / 3 - 1 : tap % 3 - 1)
    }
    offset.value = Tensor(moves, [18])
    // Taps at ±3.5 lie between 3 and 4.
    #expect(reach(layer, 16) == 9)
  }

  /// Ding et al. and Liu et al.: 13×13 pixels, also by two stripes.
  @Test(arguments: ["large-kernel", "large-kernel:form=stripes"]) func largeKernelsReachFar(_ item: String)
    throws
  {
    #expect(try reach(layer(item, 4), 4) == 13)
  }

  /// A tropical convolution and a morphological layer commute with a brighter image, as a convolution does with a scaled
  /// one; an adder of squares is largest where the window is the filter.
  @Test func otherArithmeticsHaveTheirLaws() throws {
    var random = Random(seed: 6)
    let x = Tensor(normal: [1, 7, 7, 3], using: &random)
    let tropical = try layer("max-plus", 3), y = tropical.forward(x, inference)
    let brighter = tropical.forward(Tensor(x.values.map { $0 + 2 }, x.shape), inference)
    // Inside, where no padding is read.
    for row in 1..<6 {
      for index in (row * 7 + 1) * 3..<(row * 7 + 6) * 3 {
        #expect(abs(brighter[index] - y[index] - 2) < 1e-5)
      }
    }
    let squares = try layer("adder-l2", 3, 1)
    let weight = try #require(squares.parameters.first?.parameter.value)
    // [1, 1, inputs, outputs]: the filter of the first output.
    let pixel = Tensor((0..<3).map { weight[3 * $0] }, [1, 1, 1, 3])
    let scores = squares.forward(pixel, inference)
    #expect(scores[0] == 0 && scores[1] < 0 && scores[2] < 0)
  }
}
