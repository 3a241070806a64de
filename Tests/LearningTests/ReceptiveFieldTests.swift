import Kernels
import Layers
import Learning
import Tensors
import TestSupport
import Testing

struct ReceptiveFieldTests {
  private func field(_ dilation: Int, layers: Int = 1) throws -> ReceptiveField {
    let geometry = try ConvolutionGeometry(
      inputChannels: 1, outputChannels: 1, kernel: Pair(3), stride: Pair(1), padding: Padding(Pair(dilation)),
      dilation: Pair(dilation), groups: 1)
    let stack = try (0..<layers).map { _ in
      let layer = try KernelRegistry.builtIn.choice("standard").makeLayer(
        at: geometry, random: Random(seed: 0))
      layer.parameters[0].parameter.value = Tensor(repeating: 1, [3, 3, 1, 1])
      return layer
    }
    var field = ReceptiveField(height: 15, width: 15)
    field.add(stack, Tensor(repeating: 1, [2, 15, 15, 1]), threads: 1)
    return field
  }

  /// One window of ones: nine equal pixels.
  @Test(arguments: [1, 2, 3]) func aWindowIsItsTaps(_ dilation: Int) throws {
    let field = try field(dilation)
    #expect(field.pixels(holding: 0.99) == 9)
    #expect(field.pixels(holding: 0.5) == 5)
    #expect(field.extent(holding: 0.1) == 1)
    #expect(field.extent(holding: 0.99) == 2 * dilation + 1)
    #expect(abs(field.shares[7 * 15 + 7] - 1.0 / 9) < 1e-7)
    #expect(abs(field.shares.reduce(0, +) - 1) < 1e-12)
  }

  /// A draw that reads the centre alone and one that reads its neighbour alone: each share is 0.5 ± 0.5, whose sum is 1. Draws
  /// that differ by a factor have no error.
  @Test func draws() throws {
    let geometry = try ConvolutionGeometry(
      inputChannels: 1, outputChannels: 1, kernel: Pair(3), stride: Pair(1), padding: Padding(Pair(1)))
    let layer = try KernelRegistry.builtIn.choice("standard").makeLayer(at: geometry, random: Random(seed: 0))
    func error(_ weights: [[Float]]) -> Double? {
      var field = ReceptiveField(height: 5, width: 5)
      for own in weights {
        layer.parameters[0].parameter.value = Tensor(own, [3, 3, 1, 1])
        field.add([layer], Tensor(repeating: 1, [2, 5, 5, 1]), threads: 1)
      }
      return field.standardError
    }
    let centre: [Float] = [0, 0, 0, 0, 1, 0, 0, 0, 0], beside: [Float] = [0, 0, 0, 0, 0, 1, 0, 0, 0]
    #expect(error([centre]) == nil)
    #expect(abs(try #require(error([centre, beside])) - 1) < 1e-12)
    #expect(try #require(error([centre, centre.map { -3 * $0 }, centre])) < 1e-12)
  }

  /// Two windows of ones: the outer product of 1, 2, 3, 2, 1 with itself, whose middle is 9 of 81.
  @Test func windowsAreConvolved() throws {
    let field = try field(1, layers: 2)
    #expect(abs(field.shares[7 * 15 + 7] - 9.0 / 81) < 1e-7)
    #expect(abs(field.shares[5 * 15 + 5] - 1.0 / 81) < 1e-7)
    #expect(field.pixels(holding: 1) == 25)
  }

  @Test func nothingHasNoArea() {
    let field = ReceptiveField(height: 3, width: 3)
    #expect(field.pixels(holding: 0.5) == nil && field.extent(holding: 0.5) == nil)
    #expect(field.shares == Array(repeating: 0, count: 9))
  }

  /// Without normalisation a layer with it is the ReLU alone; with constant statistics it is an affine function.
  @Test func normalizationCanBeTakenOut() throws {
    var random = Random(seed: 3)
    let x = Tensor(normal: [2, 3, 3, 4], using: &random), g = Tensor(normal: x.shape, using: &random)
    let normalization = BatchNormalization(channels: 4)
    normalization.weight.value = Tensor([0.5, 1, 1.5, 2], [4])
    let layers = Sequential(numbered: [normalization]), relu = Sequential(numbered: [normalization, ReLU()])
    var context = Context(training: true, threads: 1)
    context.normalization = .none
    #expect(layers.forward(x, context) == x)
    #expect(layers.backward(g, context) == g)
    let plain = ReLU(), wanted = plain.forward(x, context)
    #expect(relu.forward(x, context) == wanted)
    #expect(relu.backward(g, context) == plain.backward(g, context))
    context.normalization = .constant
    let normalized = layers.forward(x, context), slope = layers.backward(g, context)
    context.normalization = .batch
    #expect(layers.forward(x, context) == normalized)
    for channel in 0..<4 {
      let values = stride(from: channel, to: x.count, by: 4).map { Double(x[$0]) }
      let mean = values.reduce(0, +) / 18
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 18
      let factor = Double(normalization.weight.value[channel]) / (variance + 1e-5).squareRoot()
      for index in stride(from: channel, to: x.count, by: 4) {
        // One product, rounded, of a factor that was rounded.
        #expect(
          abs(Double(slope[index]) - factor * Double(g[index])) <= 1e-6 * abs(factor * Double(g[index])))
      }
    }
  }
}
