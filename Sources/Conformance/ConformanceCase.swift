import Kernels
import Tensors

/// A geometry and an input for checking kernels: small, and awkward in one way each.
public struct ConformanceCase: Sendable {
  /// What is awkward about it.
  public let name: String
  /// The geometry of the replaced convolution.
  public let place: ConvolutionGeometry
  /// The input's batch.
  public let input: FeatureShape
  /// Whether the layer has a bias.
  public let bias: Bool

  /// A case.
  public init(_ name: String, _ place: ConvolutionGeometry, _ input: FeatureShape, bias: Bool = false) {
    self.name = name
    self.place = place
    self.input = input
    self.bias = bias
  }

  /// The cases for every kernel; those that a kernel refuses with a reason are skipped.
  public static func standardCases() throws -> [ConformanceCase] {
    func square(
      _ k: Int, _ inputs: Int, _ outputs: Int, stride: Int = 1, padding: Int? = nil, groups: Int = 1
    ) throws
      -> ConvolutionGeometry
    {
      try ConvolutionGeometry(
        inputChannels: inputs, outputChannels: outputs, kernel: Pair(k), stride: Pair(stride),
        padding: Padding(Pair(padding ?? k / 2)), groups: groups)
    }
    func shape(_ batch: Int, _ height: Int, _ width: Int, _ channels: Int) -> FeatureShape {
      FeatureShape(batch: batch, height: height, width: width, channels: channels)
    }
    return [
      .init("plain", try square(3, 4, 4), shape(1, 5, 6, 4)),
      .init("batch of three", try square(3, 5, 5), shape(3, 4, 3, 5)),
      .init("channels change", try square(3, 3, 7), shape(2, 4, 5, 3), bias: true),
      .init("one channel", try square(3, 1, 1), shape(1, 5, 5, 1)),
      .init("one pixel", try square(3, 4, 3), shape(2, 1, 1, 4)),
      .init("channel tails", try square(3, 17, 35), shape(1, 3, 4, 17)),
      .init("thirteen pixels", try square(3, 4, 33), shape(1, 1, 13, 4)),
      .init("several tiles", try square(3, 17, 18), shape(2, 10, 11, 17)),
      .init("full vectors", try square(3, 16, 32), shape(1, 3, 3, 16)),
      .init("long rows", try square(3, 16, 18), shape(1, 3, 21, 16)),
      .init("long rows, few channels", try square(3, 5, 7), shape(2, 3, 11, 5), bias: true),
      .init("ten channels, nine directions", try square(3, 20, 20), shape(1, 4, 4, 20)),
      .init("stride 2", try square(3, 6, 6, stride: 2), shape(2, 5, 6, 6)),
      .init("stride above size", try square(3, 4, 5, stride: 7), shape(1, 9, 4, 4)),
      .init("1×1", try square(1, 5, 6), shape(2, 3, 4, 5), bias: true),
      .init("1×1, stride 2", try square(1, 4, 8, stride: 2), shape(1, 5, 4, 4)),
      .init("even window", try square(2, 3, 4, padding: 1), shape(1, 4, 4, 3)),
      .init("4×4, stride 2", try square(4, 3, 4, stride: 2, padding: 1), shape(1, 6, 5, 3)),
      .init("no padding", try square(3, 3, 4, padding: 0), shape(1, 6, 7, 3)),
      .init("more padding than window", try square(3, 2, 3, padding: 4), shape(1, 3, 2, 2)),
      .init(
        "asymmetric",
        try ConvolutionGeometry(
          inputChannels: 4, outputChannels: 5, kernel: Pair(1, 5), stride: Pair(2, 1),
          padding: Padding(top: 0, left: 1, bottom: 2, right: 3), dilation: Pair(1, 2)), shape(1, 4, 9, 4)),
      .init(
        "long rows, padded far to the right",
        try ConvolutionGeometry(
          inputChannels: 16, outputChannels: 18, kernel: Pair(3),
          padding: Padding(top: 1, left: 1, bottom: 0, right: 5)), shape(1, 3, 12, 16)),
      .init("two groups", try square(3, 6, 4, groups: 2), shape(2, 4, 4, 6), bias: true),
      .init("groups of four", try square(3, 32, 32, groups: 8), shape(1, 3, 5, 32), bias: true),
      .init("groups of eight, stride 2", try square(3, 16, 16, stride: 2, groups: 2), shape(2, 5, 4, 16)),
      .init("depthwise", try square(3, 5, 5, groups: 5), shape(1, 5, 4, 5)),
      .init("depthwise, two each", try square(3, 3, 6, stride: 2, groups: 3), shape(1, 5, 4, 3)),
    ]
  }
}
