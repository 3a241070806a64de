import Kernels
import Layers
import Testing

/// Counts of composed kernels, made by hand: two images of 5×6 pixels, 4 channels and a 3×3 place, so that there are 60
/// pixels and 240 values. A convolution touches its input, parameters and output, 4 bytes each, backward twice.
extension CostTests {
  struct Count: CustomTestStringConvertible, Sendable {
    let item: String
    var outputs = 4
    let inference, backward: Cost
    var testDescription: String { item }
  }

  static let branches: [Count] = [
    // 3×3 over two channels, 5×5 and 7×7 over one each: 18 + 25 + 49 weights.
    Count(
      item: "mixed-depthwise",
      inference: Cost(
        parameters: 92, macs: 60 * 92, bytes: 4 * (120 + 18 + 120 + 60 + 25 + 60 + 60 + 49 + 60) + 8 * 240),
      backward: Cost(parameters: 92, macs: 120 * 92, bytes: 8 * (480 + 92) + 8 * 240)),
    // 3×3 from four channels to two, 5×5 in two groups from two to one each: 72 + 100 weights. Both read all channels.
    Count(
      item: "pyramidal:windows=3-5:groups=1-2",
      inference: Cost(parameters: 172, macs: 60 * 172, bytes: 4 * (2 * 360 + 172) + 8 * 240),
      backward: Cost(parameters: 172, macs: 120 * 172, adds: 240, bytes: 8 * (2 * 360 + 172) + 8 * 240)),
    // To one channel, to six, and a window over each.
    Count(
      item: "blueprint", outputs: 6,
      inference: Cost(parameters: 64, macs: 60 * 64, bytes: 4 * (300 + 420 + 720 + 64)),
      backward: Cost(parameters: 64, macs: 120 * 64, bytes: 8 * (300 + 420 + 720 + 64))),
    // A depthwise 5×5 and 3×3, each normalised; one 5×5 with a bias in inference.
    Count(
      item: "large-kernel:window=5:small=3",
      inference: Cost(parameters: 152, macs: 60 * 100, adds: 240, bytes: 4 * (480 + 104)),
      backward: Cost(
        parameters: 152, macs: 120 * 136 + 2 * 720, adds: 2 * 480 + 240,
        bytes: 8 * (2 * 480 + 136) + 2 * (12 * 240 + 32))),
    // 7×3, 3×7 and 3×3; in inference two stripes, each with a bias, and their sum.
    Count(
      item: "large-kernel:window=7:small=3:form=stripes",
      inference: Cost(
        parameters: 228, macs: 60 * 2 * 84, adds: 3 * 240, bytes: 2 * 4 * (480 + 88) + 8 * 240),
      backward: Cost(
        parameters: 228, macs: 120 * 204 + 3 * 720, adds: 3 * 480 + 2 * 240,
        bytes: 8 * (3 * 480 + 204) + 3 * (12 * 240 + 32))),
    // 3×3, 1×1 and the identity.
    Count(
      item: "repvgg",
      inference: Cost(parameters: 184, macs: 8_640, adds: 240, bytes: 4 * (480 + 148)),
      backward: Cost(
        parameters: 184, macs: 120 * 160 + 3 * 720, adds: 3 * 480 + 2 * 240,
        bytes: 8 * (2 * 480 + 160) + 3 * (12 * 240 + 32))),
    // Half of the channels at 3×3 pixels, 18 of both images. 2→2 (36 weights) on 60 pixels; means of 120 values, 2→2 on 18
    // pixels, enlarged and added; means of 240 values, 4→2 (72) on 18, enlarged. Backward each value is added to a mean's or
    // an enlarged one's source, and both parts read all channels.
    Count(
      item: "octave",
      inference: Cost(
        parameters: 144, macs: 60 * 36 + 18 * 108, adds: (120 - 36) + 120 + (240 - 72), otherOps: 36 + 72,
        bytes: 4 * (276 + 156 + 108 + 156) + 8 * 120 + 4 * (312 + 180 + 156) + 8 * 240),
      backward: Cost(
        parameters: 144, macs: 2 * (60 * 36 + 18 * 108), adds: 120 + 120 + 240 + 120 + 240, otherOps: 36 + 72,
        bytes: 8 * (276 + 108 + 180) + 4 * (156 + 156 + 312 + 156) + 8 * 240)),
    // Five functions of each value, four of them splines, and 3×3 from 20 channels.
    Count(
      item: "kan:grid=1",
      inference: Cost(
        parameters: 720, macs: 60 * 720, otherOps: 240 * (2 + 4 * 14), bytes: 4 * (1_440 + 1_200 + 720 + 240)),
      backward: Cost(
        parameters: 720, macs: 120 * 720 + 240 * 5, otherOps: 240 * (5 + 4 * 13),
        bytes: 8 * (1_200 + 720 + 240) + 4 * (1_440 + 240))),
  ]

  static let attention: [Count] = [
    // Mean; 1×1 to one channel, ReLU, 1×1 to four shares, softmax; four filters of 144 weights mixed for two images.
    Count(
      item: "dynamic",
      inference: Cost(
        parameters: 576 + 4 + 8, macs: 8_640 + 2 * 576 + 8 + 8, adds: 232 + 8 + 14, otherOps: 8 + 2 + 32,
        bytes: 4 * (240 + 576 + 240 + 4 * 144 + 248 + 14 + 18) + 8 * (2 + 8)),
      backward: Cost(
        parameters: 588, macs: 2 * (8_640 + 2 * 576 + 16) + 8, adds: 240 + 240 + 8 + 8, otherOps: 8 + 2 + 16,
        bytes: 8 * (240 + 576 + 240 + 4 * 144 + 14 + 18) + 4 * 248 + 12 * (2 + 8))),
    // Mean, 1×1 to 16, ReLU, 1×1s to 2 + 9 + 4 + 4 numbers, softmax over two, sigmoids; two filters mixed for two images,
    // and three factors for each of 288 weights.
    Count(
      item: "odconv:filters=2",
      inference: Cost(
        parameters: 288 + 64 + 34 + 153 + 68 + 68, macs: 8_640 + 2 * 288 + 2 * (64 + 32 + 144 + 64 + 64),
        adds: 232 + 2 * 19 + 6, otherOps: 8 + 32 + 12 + 34 + 3 * 288,
        bytes: 4 * (240 + 288 + 240 + 4 * 144 + 248 + 104 + 70 + 203 + 108 + 108) + 8 * (32 + 4 + 34 + 38)),
      backward: Cost(
        parameters: 675, macs: 2 * (8_640 + 2 * 288 + 2 * 368) + 4 + 3 * 288,
        adds: 240 + 240 + 2 * 19 + 4 + 34 + 3 * 32, otherOps: 8 + 32 + 4 + 2 * 34 + 7 * 288,
        bytes: 8 * (240 + 288 + 240 + 4 * 144 + 104 + 70 + 203 + 108 + 108) + 4 * 248 + 12 * (32 + 4 + 34)
          + 8 * 38)),
    // A 3×3; 11 means of each image and channel, 88 in all; 1×1 to eight channels, normalisation, hard swish on 176 values;
    // 1×1 and sigmoid on ten rows, and on twelve columns.
    Count(
      item: "coordinate-attention",
      inference: Cost(
        parameters: 144 + 32 + 16 + 36 + 36, macs: 8_640 + 22 * 32 + 22 * 32,
        adds: (480 - 88) + 176 + 40 + 48, otherOps: 88 + 480 + 2 * 176 + 4 * 176 + 40 + 48,
        bytes: 4 * (624 + 328 + 296 + 156 + 180) + 8 * (240 + 176 + 8 + 176 + 40 + 48)),
      backward: Cost(
        parameters: 264, macs: 2 * (8_640 + 44 * 32) + 480 + 3 * 176 + 176,
        adds: 720 + 2 * 176 + 2 * (40 + 48), otherOps: 720 + 88 + 4 * 176 + 2 * (40 + 48),
        bytes: 8 * (624 + 296 + 156 + 180) + 4 * 328 + 16 * 240 + 12 * (176 + 176 + 40 + 48) + 4 * 16)),
  ]

  static let positions: [Count] = [
    // 1×1s with biases to 4 values, 18 offsets, 9 masks and 4 outputs; 2,160 samples times masks, summed over nine taps.
    Count(
      item: "dcnv4",
      inference: Cost(
        parameters: 20 + 90 + 45 + 20, macs: 60 * (16 + 72 + 36 + 16), adds: 60 * 35 + 240 * 8,
        otherOps: 8 * 2_160, bytes: 4 * (500 + 1_410 + 825 + 500) + 4 * (480 + 3 * 540)),
      backward: Cost(
        parameters: 175, macs: 120 * 140 + 8 * 2_160, adds: 60 * 35 + 2 * 240, otherOps: 8 * 2_160,
        bytes: 8 * (500 + 1_410 + 825 + 500) + 8 * (480 + 3 * 540))),
    // The same, a softmax over nine taps for 60 pixels, and features: a depthwise 3×3 with biases, a normalisation over the
    // channels, the error function.
    Count(
      item: "dcnv3",
      inference: Cost(
        parameters: 175 + 40 + 8, macs: 60 * 140 + 2_160 + 480,
        adds: 60 * 35 + 240 * 8 + 1_020 + 240 + (480 - 60),
        otherOps: 8 * 2_160 + 3 * 540 + (240 + 180) + 480,
        bytes: 4 * (3_235 + 480 + 3 * 540) + 8 * 540 + 4 * 520 + (8 * 240 + 32) + 8 * 240),
      backward: Cost(
        parameters: 223, macs: 120 * 140 + 8 * 2_160 + 540 + 4_320 + 720 + 240,
        adds: 60 * 35 + 2 * 240 + 540 + 240 + 720, otherOps: 8 * 2_160 + 540 + 480 + 720,
        bytes: 8 * (3_235 + 480 + 3 * 540) + 12 * 540 + 8 * 520 + (12 * 240 + 64) + 12 * 240)),
    // A 3×3 with biases to four steps, tanh, two sums; five taps: 1,200 samples between two neighbours, 80 weights.
    Count(
      item: "snake:length=5:axes=row",
      inference: Cost(
        parameters: 148 + 80, macs: 60 * (144 + 80), adds: 240 + 120, otherOps: 3 * 1_200 + 240,
        bytes: 4 * (480 + 228 + 240)),
      backward: Cost(
        parameters: 228, macs: 120 * (144 + 80) + 4 * 1_200, adds: 240 + 120 + 240 + 240,
        otherOps: 3 * 1_200 + 480, bytes: 8 * (480 + 228 + 240))),
  ]

  @Test(arguments: branches + attention + positions)
  func countsOfComposedKernelsAreExact(_ count: Count) throws {
    let layer = try layer(count.item, outputs: count.outputs)
    #expect(try layer.cost(for: image, pass: .inference) == count.inference)
    #expect(try layer.cost(for: image, pass: .backward) == count.backward)
    if layer.buffers.isEmpty { #expect(try layer.cost(for: image, pass: .forward) == count.inference) }
  }

  /// A depthwise 3×3 with scales, 36 + 4; four bands of 18 pixels, 288 values, to which 144 + 16 are applied; three sums and
  /// a product for each value of the bands and of the output; the sum of both. In training the scaled filters are made.
  @Test func countsOfWaveletsAreExact() throws {
    let layer = try layer("wavelet", outputs: 4)
    let inference = Cost(
      parameters: 200, macs: 60 * 36 + 18 * 144, adds: 3 * (288 + 240) + 240, otherOps: 288 + 240,
      bytes: 4 * (480 + 40 + 576 + 160) + 8 * (288 + 240) + 8 * 240)
    #expect(try layer.cost(for: image, pass: .inference) == inference)
    #expect(try layer.cost(for: image, pass: .forward) == inference + Cost(otherOps: 36 + 144))
    #expect(
      try layer.cost(for: image, pass: .backward)
        == Cost(
          parameters: 200, macs: 2 * (60 * 36 + 18 * 144) + 36 + 144, adds: 3 * (288 + 240) + 240,
          otherOps: 288 + 240 + 36 + 144, bytes: 8 * (480 + 40 + 576 + 160) + 8 * (288 + 240)))
  }
}
