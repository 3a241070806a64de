import Kernels
import Layers
import Networks
import Tensors
import Testing

/// Which taps of a kernel's windows read nothing but padding.
struct ReachTests {
  private func remark(_ item: String, _ model: String, _ size: Int) throws -> String? {
    let registry = KernelRegistry.builtIn
    let network = try Network(
      Models.description(model, inputChannels: 1, classes: 10), kernel: registry.choice(item),
      standard: registry.choice("standard"), seed: 0)
    return try network.reachRemark(for: FeatureShape(batch: 1, height: size, width: size, channels: 1))
  }

  /// On 8×8 images the stages of bottleneck20 are 8×8, 4×4 and 2×2. Taps ±2 pixels away never meet a 2×2 map; of ASPP's
  /// rates, 18 and 12 meet none of the maps with more than their middle tap, and 6 only the first. Beside 27 taps of its
  /// windows it has three of its 1×1 convolutions.
  @Test func windowsBeyondTheMapAreTold() throws {
    #expect(try remark("standard", "bottleneck20", 8) == nil && remark("shift", "bottleneck20", 8) == nil)
    let dilated = try #require(try remark("dilated", "bottleneck20", 8))
    #expect(dilated.contains("feature maps of 8×8 images: 8 of 9 taps on 2×2 maps read nothing but padding"))
    let aspp = try #require(try remark("aspp", "bottleneck20", 8))
    #expect(
      aspp.contains("16 of 30 taps on 8×8 maps, 24 of 30 taps on 4×4 maps, 24 of 30 taps on 2×2 maps"),
      "\(aspp)")
    // Larger images, too, have maps that are too small for rate 18, and then for 12.
    let larger = try #require(try remark("aspp", "bottleneck20", 32))
    #expect(
      larger.contains("of 32×32 images: 8 of 30 taps on 16×16 maps, 16 of 30 taps on 8×8 maps"), "\(larger)")
    // What is inside another kernel counts, too.
    #expect(try remark("cbam:around=dilated", "bottleneck20", 8)?.contains("8 of ") == true)
    #expect(try remark("dilated", "bottleneck20", 16) == nil)
  }

  /// The last stage of ResNet-18 has one pixel for 32×32 images: of a plain 3×3 only the middle tap is left.
  @Test func plainWindowsCanBeTooLarge() throws {
    let remark = try #require(try remark("standard", "resnet18", 32))
    #expect(remark.contains("8 of 9 taps on 1×1 maps"))
  }
}
