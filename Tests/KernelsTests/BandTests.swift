import Kernels
import Tensors
import Testing

@testable import Layers

/// Inference of several convolutions by bands of rows has the bits of one after the other.
struct BandTests {
  struct Case: Sendable, CustomTestStringConvertible {
    /// Benchdnn's problems, each the output of the one before.
    let problems: [String]
    var testDescription: String { problems.joined(separator: " – ") }
    init(_ problems: String...) { self.problems = problems }
  }

  static let cases = [
    // MobileNet-V2's blocks: strides 1 and 2.
    Case("mb1ic8ih56oc48kh1", "g48mb1ic48ih56oc48kh3ph1", "mb1ic48ih56oc8kh1"),
    Case("mb1ic16ih57oc96kh1", "g96mb1ic96ih57oc96kh3sh2ph1", "mb1ic96ih29oc24kh1"),
    // Two layers, three images, channels that do not fill vectors.
    Case("g21mb3ic21ih61iw67oc21kh3ph1", "mb3ic21ih61iw67oc37kh1"),
    // Dilated windows that are not square, five rows of padding, and no padding at all.
    Case("g32mb2ic32ih64oc32kh5kw3dh1ph4pw1", "g32mb2ic32ih64oc32kh3kw7ph0pw3", "mb2ic32ih62oc16kh1"),
    // Windows that lie in the padding alone.
    Case("mb1ic4ih5iw400oc64kh1", "g64mb1ic64ih5iw400oc64kh3kw1ph4pw0oh11ow400", "mb1ic64ih11iw400oc32kh1"),
    // A stride larger than the window, and a direct 3×3 with groups that reads it.
    Case("g40mb2ic40ih128oc40kh1sh2", "mb2ic40ih64oc48kh1", "g2mb2ic48ih64oc16kh3sh2ph1"),
  ]

  @Test(arguments: cases) func bandsChangeNoBit(_ example: Case) throws {
    var random = Random(seed: 4)
    var input: FeatureShape?, layers: [any Layer] = [], parts: [(layer: any Layer, epilogue: Epilogue)] = []
    for (index, text) in example.problems.enumerated() {
      let problem = try ConvolutionProblem(parsing: text)
      input = input ?? problem.input
      let channels = problem.geometry.outputChannels
      let convolution = try ConvolutionLayer(
        KernelSite(
          geometry: problem.geometry, bias: index == 0,
          algorithm: problem.geometry.groups == 2 ? "direct" : nil,
          random: Random(seed: UInt64(index))))
      let normalization = BatchNormalization(channels: channels)
      for parameter in [normalization.weight, normalization.bias, normalization.runningMean] {
        parameter.value = Tensor(normal: [channels], using: &random)
      }
      var epilogue = Epilogue(normalization: normalization)
      layers.append(Sequential(numbered: [convolution, normalization]))
      if index < example.problems.count - 1 {
        // ReLU6 after the first, ReLU after the second.
        epilogue.relu = true
        epilogue.most = index == 0 ? 6 : .infinity
        layers[index] = Sequential(
          numbered: [convolution, normalization, index == 0 ? ReLU6() : ReLU()])
      }
      parts.append((convolution, epilogue))
    }
    let sequence = Sequential(numbered: layers), shape = try #require(input)
    let x = Tensor(normal: shape.extents, using: &random)
    let residual = Tensor(normal: try sequence.outputShape(for: shape).extents, using: &random)
    let last = Epilogue(residual: residual, relu: true)
    parts[parts.count - 1].epilogue.residual = residual
    parts[parts.count - 1].epilogue.relu = true
    let alone = parts.reduce(x) { $1.layer.infer($0, $1.epilogue, Context(training: false, threads: 1)) }
    for threads in 1...3 {
      let context = Context(training: false, threads: threads)
      let passes = try #require(sequence.bandPasses(for: shape, last, context))
      #expect(passes.count == parts.count && Bands(passes).areWorthwhile)
      let y = sequence.infer(x, last, context)
      #expect(y.shape == alone.shape && y.values.map(\.bitPattern) == alone.values.map(\.bitPattern))
    }
  }

  /// Arrays that stay in the cache anyway.
  @Test func smallArraysAreNotCut() throws {
    let site = KernelSite(
      geometry: try ConvolutionGeometry(inputChannels: 8, outputChannels: 8, kernel: Pair(1)))
    let sequence = Sequential(numbered: [try ConvolutionLayer(site), try ConvolutionLayer(site)])
    let shape = FeatureShape(batch: 1, height: 8, width: 8, channels: 8)
    let passes = try #require(
      sequence.bandPasses(for: shape, .none, Context(training: false, threads: 1)))
    #expect(!Bands(passes).areWorthwhile)
  }
}
