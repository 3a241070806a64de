import Foundation
import Kernels
import Layers
import Tensors
import Testing

@testable import Networks

/// Networks as ONNX. That other programs compute the same is experiments/peers/compare_onnx.py's to check.
struct ONNXTests {
  /// The onnx package wrote the fixture (experiments/peers/make_onnx_fixture.py).
  @Test func bytesAreThoseOfTheONNXPackage() throws {
    let geometry = try ConvolutionGeometry(
      inputChannels: 1, outputChannels: 2, kernel: Pair(3), stride: Pair(2), padding: Padding(Pair(1)))
    let convolution = try ConvolutionLayer(KernelSite(geometry: geometry, bias: true))
    func single(_ shape: [Int], _ step: Float) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { Float($0) * step - 1 }, shape)
    }
    convolution.weight.value = single([2, 1, 3, 3], 0.125).fromFileOrder(.convolution)
    let normalization = BatchNormalization(channels: 2)
    normalization.weight.value = single([2], 0.5)
    let layers = Sequential([
      ("conv", convolution), ("bn", normalization), ("relu", ReLU()), ("flatten", Flatten()),
      ("dropout", Dropout(0.5, random: Random(seed: 1))), ("resize", Upsampling(height: 1, width: 2)),
    ])
    let image = FeatureShape(batch: 1, height: 5, width: 7, channels: 1), graph = ONNXGraph()
    let y = try graph.layer(("", layers), ONNXGraph.input, image)
    let logits = graph.node("Flatten", [y], ["axis": .int(1)], output: "logits")
    let file = ONNXFile(
      graph: graph, name: "small", version: "0", input: [1, 5, 7], output: (logits, [48]),
      metadata: ["zeta": "ζ", "conv": "standard"])
    let url = try #require(
      Bundle.module.url(forResource: "small", withExtension: "onnx", subdirectory: "Fixtures"))
    #expect(try file.data() == Data(contentsOf: url))
  }

  @Test(arguments: KernelRegistry.builtIn.kernels.map(\.name))
  func everyKernelCanBeExported(_ kernel: String) throws {
    for model in ["resnet20", "mobilenet_v2"] {
      let image = FeatureShape(batch: 1, height: 32, width: 32, channels: 3)
      let network = try Network(
        Models.description(model, inputChannels: 3, classes: 10),
        kernel: KernelRegistry.builtIn.choice(kernel), standard: KernelRegistry.builtIn.choice("standard"),
        seed: 1)
      #expect(try network.onnx(for: image).count > 4 * network.parameterCount)
    }
  }

  @Test func aLayerThatSaysNothingIsNamed() throws {
    let graph = ONNXGraph(), image = FeatureShape(batch: 1, height: 4, width: 4, channels: 1)
    let layers = Sequential([("stage", Sequential([("silent", Silent())]))])
    let error = #expect(throws: WorkbenchError.self) {
      try graph.layer(("", layers), ONNXGraph.input, image)
    }
    #expect("\(try #require(error))".hasPrefix("stage.silent is a layer of the type Silent,"))
  }
}

/// A layer without a form in ONNX.
private final class Silent: Layer {
  func outputShape(for input: FeatureShape) -> FeatureShape { input }
  func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost { Cost() }
  func forward(_ input: Tensor, _ context: Context) -> Tensor { input }
  func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    input.total(gradient, threads: context.threads)
  }
}
