import Foundation
import Testing

@testable import Experiments

/// What proxies are worth, against SciPy, pandas and NumPy (experiments/peers/make_proxy_quality_fixture.py).
@Suite struct ProxyQualityTests {
  private struct Facts: Decodable {
    let networks: Int, measures: [String: Double], operators: [String: Double]
  }

  private static func file(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures/proxy_quality/\(name)", withExtension: nil))
  }

  private static let quality = Result { try ProxyQuality(file: file("networks.csv").path) }

  /// Both compute in double precision from the same numbers: only rounding differs.
  @Test func isWhatSciPyComputes() throws {
    let expected = try JSONDecoder().decode(
      [String: Facts].self, from: Data(contentsOf: Self.file("expected.json")))
    let quality = try Self.quality.get()
    for (name, facts) in expected {
      let row = try #require((quality.rows + quality.ceilings).first { $0.proxy == name })
      #expect(row.count == facts.networks)
      for (column, value) in facts.measures {
        let measure = try #require(ProxyQuality.Measure(rawValue: column))
        let found = try #require(row.estimates[measure])
        #expect(abs(found.value - value) < 1e-9, "\(name) \(measure): \(found.value) is not \(value)")
        // Only a share that is 0 in every draw has none.
        if measure == .topShare && found.value == 0 {
          #expect(found.interval == nil)
          continue
        }
        let interval = try #require(found.interval, "\(name) \(measure)")
        #expect(interval.lowerBound < interval.upperBound && interval.upperBound <= 1)
      }
      for (kernel, difference) in facts.operators {
        let bias = try #require(quality.operators.first { $0.proxy == name && $0.kernel == kernel })
        #expect(abs(bias.difference - difference) < 1e-9, "\(name) \(kernel)")
        #expect(bias.interval.map { $0.contains(difference) } == true)
      }
      #expect(quality.operators.count { $0.proxy == name } == facts.operators.count)
    }
  }

  @Test func tablesHaveARowForEachAnswer() throws {
    let quality = try Self.quality.get(), table = quality.table
    #expect(table.rows.suffix(2).map { $0["proxy"] } == ["another_seed", "perfect_proxy"])
    #expect(table.rows.first { $0["proxy"] == "snip" }?["partial_tau"] == "0.4075")
    #expect(table.rows.last?["top_share"] ?? "" == "")
    #expect(quality.operatorTable.columns.prefix(4) == ["proxy", "operator", "networks", "rank_difference"])
    #expect(quality.text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(quality.text)")
    #expect(quality.text.contains("perfect_proxy") && quality.text.contains("share found"))
  }

  /// A table with a row for each seed ranks each network once.
  @Test func seedsAreNotNetworks() throws {
    let rows = try CSVTable(file: Self.file("networks.csv").path).rows
    let seeds = rows.flatMap { row in (0..<3).map { seed in row.merging(["seed": "\(seed)"]) { $1 } } }
    #expect(ProxyQuality(seeds).table.text == ProxyQuality(rows).table.text)
    #expect(ProxyQuality(rows).rows.contains { $0.count > 3 })
  }

  /// Every draw from three networks in order is in order; that is no certainty.
  @Test func aPerfectOrderHasNoInterval() throws {
    let rows = (1...3).map { ["kernel": "k\($0)", "snip": "\($0)", "top1_mean": "\(90 + $0)"] }
    let row = try #require(ProxyQuality(rows, columns: ["snip"]).rows.first)
    #expect(row.tau == 1 && row.tauInterval == nil && row.rhoInterval == nil)
    let mixed = ProxyQuality(rows + [["kernel": "k4", "snip": "4", "top1_mean": "90"]], columns: ["snip"])
    #expect(mixed.rows[0].tauInterval.map { $0.lowerBound < $0.upperBound } == true)
  }

  /// A control that is constant, or orders all as another does, changes nothing; one that orders all as x leaves nothing.
  @Test func controlsThatSayNothingAreLeftOut() {
    let x = RankTests.x, y = RankTests.y, z = [4.0, 2, 7, 1, 9, 3, 8, 5, 6, 10]
    func tau(_ controls: [[Double]]) -> Double {
      Statistics.partial(x, y, given: controls) { Statistics.kendallTau($0, $1) }
    }
    #expect(tau([]) == Statistics.kendallTau(x, y))
    #expect(tau([z]) == tau([z, z.map { 2 * $0 }]) && tau([z]) == tau([z.map { _ in 1 }, z]))
    #expect(tau([x.map { -$0 }]).isNaN)
  }

  /// Where seeds agree wholly, the accuracy is known; where they do not at all, nothing can be.
  @Test func ceilingsFollowFromSeeds() {
    #expect(abs(SeedCeiling.ceiling(1, .tau, seeds: 3) - 1) < 1e-12)
    #expect(abs(SeedCeiling.ceiling(1, .rho, seeds: 3) - 1) < 1e-12)
    #expect(SeedCeiling.ceiling(0, .tau, seeds: 3) == 0)
    #expect(SeedCeiling.ceiling(0.5, .tau, seeds: 9) > SeedCeiling.ceiling(0.5, .tau, seeds: 3))
    #expect(SeedCeiling.ceiling(0.5, .topShare, seeds: 3).isNaN)
  }

  /// A page of a space has ranks for each proxy, and a picture of the operators.
  @Test func aSpaceHasRankedPictures() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ranks-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.copyItem(at: Self.file("networks.csv").deletingLastPathComponent(), to: folder)
    let plots = ProxyPlots.plots(try ReportData(folder))
    #expect(
      plots.map(\.name) == [
        "proxy-operators", "proxy-snip", "proxy-synflow", "proxy-params", "proxy-macs",
      ])
    #expect(plots[1].title.hasPrefix("Ranks by snip and by accuracy: Kendall's τ = 0.61 (95 %: "))
    #expect(plots[1].spots.count == 64 && plots[2].spots.count == 27)
  }
}
