import Conformance
import Layers
import Tensors
import Testing

@testable import Kernels

/// Samplings and combinations go together freely, also those that no kernel joins. `deformable` and `active` offer theirs
/// as an option.
@Suite struct SamplingTests {
  private static let samplings = ["shifted", "snake"]

  @Test(arguments: samplings, Combinations.all.map(\.name))
  func everyCombinationIsComputed(_ sampling: String, _ name: String) throws {
    let combination = try #require(Combinations.named(name))
    let input = FeatureShape(batch: 2, height: 7, width: 6, channels: 18)
    let place = try ConvolutionGeometry(
      inputChannels: 18, outputChannels: 5, kernel: Pair(3), padding: Padding(Pair(1)))
    var conformance = Conformance()
    for algorithm in ["auto", "direct", "reference"] {
      conformance.check("\(sampling), \(name), \(algorithm)", on: input, isExact: algorithm == "direct") {
        func site(_ geometry: ConvolutionGeometry) -> KernelSite {
          KernelSite(geometry: geometry, bias: true, algorithm: algorithm, random: Random(seed: 3))
        }
        if sampling == "shifted" {
          let point = site(try place.with(kernel: Pair(1), padding: Padding(Pair(0))))
          return try ConvolutionLayer(point, sampling: ShiftedChannels(place), combination: combination)
        }
        let row = site(try place.centered(Pair(1, 3)))
        return try ConvolutionLayer(
          row, sampling: SnakeOffsets(row, predictedAt: place), combination: combination)
      }
    }
    for failure in conformance.failures.prefix(5) { Issue.record("\(failure)") }
    #expect(conformance.refusals.isEmpty, "\(conformance.refusals.first ?? "")")
    #expect(conformance.checked >= 3)
  }
}
