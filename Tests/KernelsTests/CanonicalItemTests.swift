import Kernels
import Layers
import Tensors
import Testing

struct CanonicalItemTests {
  /// One operator has one text, whatever words it was asked for by.
  @Test(arguments: [
    ("standard:dilation=1", "standard"), ("standard:dilation=2x2", "standard:dilation=2"),
    ("dilated:dilation=2", "dilated"), ("dilated:dilation=2x3", "dilated:dilation=2x3"),
    ("deformable:combine=multiply:groups=02", "deformable:groups=2"),
    ("cbam:reduction=16:around=standard", "cbam"),
    (
      "cbam:window=3:around=squeeze-excite:around=adder:dilation=02",
      "cbam:window=3:around=squeeze-excite:around=adder:dilation=2"
    ),
    ("aspp:pooling=off:rates=01-2", "aspp:rates=1-2:pooling=off"),
  ]) func isShort(_ item: String, _ wanted: String) throws {
    let choice = try KernelRegistry.builtIn.choice(item)
    #expect(choice.canonicalItem == wanted)
    #expect(try KernelRegistry.builtIn.choice(wanted).canonicalItem == wanted)
  }

  /// A kernel of one's own that is composed of layers, without saying so by its type.
  private struct Pair: Kernel {
    let name = "pair", summary = "", formula = "", paper = ""
    let algorithms = ["direct", "reference"]
    func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
      ComposedLayer(
        site,
        Branches(
          [try site.convolution("a", site.geometry), try site.convolution("b", site.geometry)], join: .sum))
    }
  }

  @Test func composedLayersNameTheirWeights() throws {
    let kernel = Pair(), options = try KernelOptions([], of: kernel)
    let request = OperatorRequest(inputChannels: 2, operands: Operands(), options: options)
    let without = #expect(throws: WorkbenchError.self) { try kernel.site(for: request) }
    #expect(without?.description.contains("by name with --weights") == true)
    let operands = Operands(weight: Tensor(repeating: 0, [3, 3, 2, 2]))
    let site = try kernel.site(
      for: OperatorRequest(inputChannels: 2, operands: operands, options: options))
    let layer = try #require(kernel.makeLayer(site) as? any TakesOperands)
    let with = #expect(throws: WorkbenchError.self) { try layer.bind(operands) }
    #expect(with?.description.contains("(a.weight, b.weight); give them by name with --weights") == true)
  }
}
