import Kernels
import Tensors
import Testing

@testable import Experiments

struct StatisticsTests {
  @Test func medians() {
    #expect(Statistics.median([3, 1, 2]) == 2)
    #expect(Statistics.median([4, 1, 2, 3]) == 2.5)
    #expect(Statistics.median([]).isNaN)
    #expect(Statistics.medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9]) == 1)
  }

  /// scipy.stats.t.isf(share / 2, degrees), and 2 * scipy.stats.t.sf(t, degrees) for t of 0.3, 2.5 and 40.
  @Test(
    arguments: [
      (
        1, [12.706204736174705, 76.69683147459905, 636619.7723670577],
        [0.8144528418445154, 0.24223788318168682, 0.015912179824051624]
      ),
      (
        2, [4.302652729749464, 10.90797925181282, 999.9992499998438],
        [0.7924856608401776, 0.12961172022151082, 0.0006244146721847406]
      ),
      (
        9, [2.2621571627982053, 3.366727278333495, 11.636782027328891],
        [0.7709907037415248, 0.033861827682985735, 1.8982998449339822e-11]
      ),
      (
        381, [1.966209908421743, 2.653484057769287, 4.97280368889447],
        [0.764340764335808, 0.012838916635210858, 1.8493560209680494e-138]
      ),
      (
        9999, [1.9602012636213577, 2.6401419871454084, 4.894688921525871],
        [0.7641833918529469, 0.012435221140020176, 0]
      ),
    ] as [(Int, [Double], [Double])]) func studentT(_ degrees: Int, _ critical: [Double], _ tails: [Double])
  {
    for (share, wanted) in zip([0.05, 0.0083, 1e-6], critical) {
      #expect(abs(StudentT.critical(share, degrees: Double(degrees)) - wanted) < 1e-8 * wanted)
    }
    for (t, wanted) in zip([0.3, 2.5, 40], tails) {
      // SciPy's own last digits differ where the tail is far below 1e-15.
      #expect(abs(StudentT.tails(t, degrees: Double(degrees)) - wanted) <= 1e-9 * wanted + 1e-200)
    }
    #expect(StudentT.tails(0, degrees: Double(degrees)) == 1)
  }

  /// scipy.stats.t.interval(0.95, 2, loc=mean, scale=sem) of [97.5, 98.0, 98.9]
  @Test func confidence() {
    #expect(abs(Statistics.confidence95([97.5, 98.0, 98.9]) - 1.7621) < 1e-3)
    #expect(Statistics.confidence95([1]).isNaN)
  }

  @Test func csvQuotes() {
    var table = CSVTable(columns: ["a", "b"])
    table.append(["a": "mb1n\"res2\"", "b": "x, y"])
    table.append(["b": "1"])
    #expect(table.text == "a,b\n\"mb1n\"\"res2\"\"\",\"x, y\"\n,1\n")
  }

  @Test func problemStringsAreBenchdnns() throws {
    let geometry = try ConvolutionGeometry(
      inputChannels: 64, outputChannels: 128, kernel: Pair(3, 5), stride: Pair(2),
      padding: Padding(Pair(1, 2)),
      dilation: Pair(2), groups: 2)
    let input = FeatureShape(batch: 4, height: 56, width: 28, channels: 64)
    #expect(geometry.problem(input, name: "x") == "g2mb4_ic64ih56iw28oc128oh27ow12kh3kw5sh2ph1pw2dh1n\"x\"")
  }
}
