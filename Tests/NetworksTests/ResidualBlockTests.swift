import Conformance
import Kernels
import Layers
import Tensors
import Testing

@testable import Networks

/// Residual blocks against their definition.
struct ResidualBlockTests {
  private static func convolution(_ inputs: Int, _ outputs: Int, stride: Int = 1) throws -> any Layer {
    let geometry = try ConvolutionGeometry(
      inputChannels: inputs, outputChannels: outputs, kernel: Pair(3), stride: Pair(stride),
      padding: Padding(Pair(1)))
    return try ConvolutionLayer(KernelSite(geometry: geometry, random: Random(seed: 2)))
  }

  private static func block(_ inputs: Int, _ outputs: Int, stride: Int, shortcut: (any Layer)?) throws
    -> ResidualBlock
  {
    ResidualBlock(
      .basic,
      [
        ("conv1", try convolution(inputs, outputs, stride: stride)),
        ("bn1", BatchNormalization(channels: outputs)), ("relu1", ReLU()),
        ("conv2", try convolution(outputs, outputs)), ("bn2", BatchNormalization(channels: outputs)),
      ], shortcut: shortcut)
  }

  @Test func blocksDoWhatTheySay() throws {
    var conformance = Conformance()
    let shape = FeatureShape(batch: 3, height: 7, width: 8, channels: 4)
    conformance.check("identity", on: shape) { try Self.block(4, 4, stride: 1, shortcut: nil) }
    conformance.check("padding", on: shape) {
      try Self.block(4, 6, stride: 2, shortcut: PaddingShortcut(stride: 2, inputs: 4, outputs: 6))
    }
    conformance.check("projection", on: shape) {
      let projection = Sequential([
        ("0", try Self.convolution(4, 6, stride: 2)), ("1", BatchNormalization(channels: 6)),
      ])
      return try Self.block(4, 6, stride: 2, shortcut: projection)
    }
    #expect(conformance.failures == [] && conformance.refusals == [] && conformance.checked == 3)
  }
}
