import Foundation
import Kernels
import Layers
import Tensors
import Testing

/// What the operators' papers claim, in small.
struct EffectTests {
  private let image = FeatureShape(batch: 1, height: 33, width: 33, channels: 2)

  private func layer(_ item: String, outputs: Int = 2) throws -> any KernelLayer {
    let place = try ConvolutionGeometry(
      inputChannels: 2, outputChannels: outputs, kernel: Pair(3), padding: Padding(Pair(1)))
    return try KernelRegistry.builtIn.choice(item).makeLayer(at: place, random: Random(seed: 1))
  }

  /// The pixels that the middle output of some layers in sequence depends on: where its gradient is not zero.
  private func field(_ layers: [any Layer]) -> Set<[Int]> {
    var random = Random(seed: 2)
    let context = Context(training: true, threads: 1)
    let network = Sequential(numbered: layers)
    let y = network.forward(Tensor(normal: image.extents, using: &random), context)
    var gradient = Tensor(repeating: 0, y.shape)
    let middle = (16 * 33 + 16) * y.shape[3]
    for channel in 0..<y.shape[3] { gradient[middle + channel] = 1 }
    let dx = network.backward(gradient, context)
    var pixels: Set<[Int]> = []
    for index in 0..<dx.count where dx[index] != 0 {
      pixels.insert([index / 2 / 33 - 16, index / 2 % 33 - 16])
    }
    return pixels
  }

  private func width(_ pixels: Set<[Int]>) -> Int {
    let columns = pixels.map { $0[1] }
    return (columns.max() ?? 0) - (columns.min() ?? 0) + 1
  }

  /// Three layers see 3 · d · 2 + 1 pixels.
  @Test(arguments: [1, 2, 4]) func theFieldGrowsWithDilation(_ dilation: Int) throws {
    let item = "dilated:dilation=\(dilation)"
    #expect(width(field([try layer(item), try layer(item), try layer(item)])) == 6 * dilation + 1)
  }

  /// A layer whose taps move outwards by two pixels, and a half, reads from six wider.
  @Test func theFieldGrowsWithOffsets() throws {
    let plain = try layer("deformable"), moved = try layer("deformable")
    let bias = try #require(moved.parameters.first { $0.name == "offset.bias" }?.parameter)
    for tap in 0..<9 {
      bias.value[2 * tap] = 2.5 * Float(tap / 3 - 1)
      bias.value[2 * tap + 1] = 2.5 * Float(tap % 3 - 1)
    }
    #expect(width(field([plain])) == 3)
    // ±3.5 lies between 3 and 4.
    #expect(width(field([moved])) == 9)
  }

  /// Yu et al.'s gridding: with rates 2, 2, 2 only even distances are seen, with 1, 2, 5 all.
  @Test func griddingIsSeenAndGone() throws {
    let gridded = field([try layer("cascaded:rates=2-2-2")])
    #expect(!gridded.isEmpty && gridded.allSatisfy { $0[0] % 2 == 0 && $0[1] % 2 == 0 })
    let dense = field([try layer("cascaded:rates=1-2-5")])
    #expect(width(dense) == 17)
    // ReLUs switch some paths off, so not every pixel counts in one image; every row and column of the middle does.
    for distance in -8...8 {
      #expect(dense.contains { $0[0] == distance } && dense.contains { $0[1] == distance })
    }
    let registry = KernelRegistry.builtIn
    for (item, count) in ["cascaded:rates=2-2-2": 1, "cascaded:rates=1-2-5": 0, "cascaded:rates=1-2-9": 1] {
      let choice = try registry.choice(item)
      #expect(choice.kernel.remarks(choice.options).count == count, "\(item)")
    }
  }

  /// Shift multiplies nothing and has no parameters; an adder has two additions for each of a convolution's products
  /// (a difference and a sum) and no product.
  @Test func multiplicationsAreThePapers() throws {
    let products = try layer("standard").cost(for: image, pass: .inference).macs
    #expect(products == 33 * 33 * 9 * 2 * 2)
    let adder = try layer("adder").cost(for: image, pass: .inference)
    #expect(adder.macs == 0 && adder.adds == 2 * products)
    let shift = try layer("shift").cost(for: image, pass: .inference)
    #expect(shift.macs == 0 && shift.adds == 0 && shift.otherOps == 0 && shift.parameters == 0)
  }

  /// A convolution of differences alone sees nothing of a flat image, but at its border.
  @Test func differencesOfAFlatImageAreZero() throws {
    let y = try layer("central-difference:theta=1").forward(
      Tensor(repeating: 3, image.extents), Context(training: false, threads: 1))
    for row in 1..<32 {
      for column in 1..<32 { #expect(abs(y[(row * 33 + column) * 2]) < 1e-5) }
    }
  }

  /// Scaled and moved weights of an output are the same weights, once they are standardised.
  @Test func standardizedWeightsHaveNoScale() throws {
    var random = Random(seed: 4)
    let layer = try layer("standardized"), weight = try #require(layer.parameters.first?.parameter)
    let x = Tensor(normal: image.extents, using: &random), context = Context(training: false, threads: 1)
    let y = layer.forward(x, context)
    weight.value = Tensor(weight.value.values.map { 5 * $0 - 2 }, weight.value.shape)
    for (a, b) in zip(layer.forward(x, context).values, y.values) { #expect(abs(a - b) < 1e-3) }
  }

  /// Two, three values for each output; powers of two.
  @Test func quantizedFiltersHaveFewValues() throws {
    func values(_ item: String) throws -> [Float] {
      let layer = try #require(try layer(item, outputs: 1) as? ConvolutionLayer)
      return layer.weight.value.values
    }
    #expect(Set(try values("binary")).count == 2)
    #expect(Set(try values("ternary")).count == 3)
    #expect(try values("power-of-two").allSatisfy { $0.significand == 1 })
  }

  /// What is merged costs what one convolution does, and gives what the branches give.
  @Test func mergedBranchesCostOneConvolution() throws {
    let standard = try layer("standard").cost(for: image, pass: .inference).macs
    let merged = try layer("repvgg")
    #expect(try merged.cost(for: image, pass: .inference).macs == standard)
    #expect(try merged.cost(for: image, pass: .forward).macs > standard)
  }

  /// 1 − ¾ · α · (2 − α) of the products where all sizes are even, as the paper has it; at the same number of parameters.
  @Test func octavesSaveTheProductsOfSmallImages() throws {
    let even = FeatureShape(batch: 1, height: 32, width: 32, channels: 8)
    let place = try ConvolutionGeometry(
      inputChannels: 8, outputChannels: 8, kernel: Pair(3), padding: Padding(Pair(1)))
    for (alpha, share) in [("0.25", 0.671875), ("0.5", 0.4375), ("0.75", 0.296875)] {
      let layer = try KernelRegistry.builtIn.choice("octave:alpha=\(alpha)")
        .makeLayer(at: place, random: Random(seed: 1))
      #expect(layer.parameterCount == 8 * 8 * 9)
      let macs = try layer.cost(for: even, pass: .inference).macs
      #expect(Double(macs) == share * Double(32 * 32 * 9 * 64), "\(alpha)")
    }
  }

  /// A 3×3 window sees about twice as far at each level of wavelets, at the cost of a few parameters for each.
  @Test(arguments: [(1, 6), (2, 12), (3, 24)]) func theFieldGrowsWithTheLevelsOfWavelets(
    _ levels: Int, _ extent: Int
  ) throws {
    let layer = try layer("wavelet:levels=\(levels)")
    #expect(width(field([layer])) == extent)
    #expect(layer.parameterCount == 2 * (9 + 1) * (1 + 4 * levels))
  }

  /// Steps of one direction add up from tap to tap: the last of nine taps is four steps of up to a pixel away.
  @Test func snakesWind() throws {
    let snake = try layer("snake:axes=row")
    let rows = { (pixels: Set<[Int]>) in pixels.map { $0[0] } }
    #expect(width(field([snake])) == 9 && Set(rows(field([snake]))) == [0])
    let bias = try #require(snake.parameters.first { $0.name == "row.offset.bias" }?.parameter)
    bias.value = Tensor(Array(repeating: 20, count: 8), [8])
    let moved = field([snake])
    // Both ends are moved down by four pixels, their neighbours by three.
    #expect([[4, 4], [4, -4], [3, 3], [3, -3], [0, 0]].allSatisfy(moved.contains))
    #expect(rows(moved).max() == 4 && rows(moved).min() == 0)
  }

  /// Simonyan and Zisserman's 18 and 27 weights in place of 25 and 49 for each pair of channels.
  @Test(arguments: [(5, 18), (7, 27)]) func smallStacksSave(_ reach: Int, _ weights: Int) throws {
    let stack = try layer("small-stack:reach=\(reach)")
    #expect(stack.parameterCount == 4 * weights)
    #expect(width(field([stack])) == reach)
  }

  /// A non-local block starts as the identity.
  @Test func nonLocalStartsAsTheIdentity() throws {
    var random = Random(seed: 3)
    let x = Tensor(normal: image.extents, using: &random)
    #expect(try layer("non-local").forward(x, Context(training: true, threads: 1)) == x)
  }

  /// What comes after `around=` belongs to the kernel inside.
  @Test func wrappersTakeAnyKernel() throws {
    let choice = try KernelRegistry.builtIn.choice(
      "cbam:reduction=1:around=squeeze-excite:around=adder:dilation=2")
    let place = try ConvolutionGeometry(
      inputChannels: 4, outputChannels: 4, kernel: Pair(3), padding: Padding(Pair(1)))
    let layer = try choice.makeLayer(at: place, random: Random(seed: 0))
    #expect(layer.geometry.dilation == Pair(2) && layer.hasOwnGradients)
    #expect(layer.parameters.map(\.name).contains("kernel.kernel.weight"))
    for wrong in ["cbam:around=", "cbam:around=nothing", "cbam:around=standard:reduction=2", "cbam:around"] {
      #expect(throws: WorkbenchError.self, "\(wrong)") { try KernelRegistry.builtIn.choice(wrong) }
    }
  }
}
