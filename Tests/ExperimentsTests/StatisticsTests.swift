import Experiments
import Kernels
import Tensors
import Testing

struct StatisticsTests {
  @Test func medians() {
    #expect(Statistics.median([3, 1, 2]) == 2)
    #expect(Statistics.median([4, 1, 2, 3]) == 2.5)
    #expect(Statistics.median([]).isNaN)
    #expect(Statistics.medianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9]) == 1)
  }

  /// scipy.stats.t.ppf(0.975, df)
  @Test(arguments: [1: 12.7062, 2: 4.3027, 9: 2.2622, 30: 2.0423, 31: 2.0395, 100: 1.9840, 1000: 1.9623])
  func studentT(_ degrees: Int, _ wanted: Double) {
    #expect(abs(Statistics.studentT975(degrees) - wanted) < 1e-4)
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
