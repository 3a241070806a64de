import Foundation
import Kernels
import Learning
import Networks
import Tensors
import Testing

@testable import Experiments

/// `match:` in sweeps: widths at which networks cost as much as the standard one.
@Suite struct WidthMatchTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("match-\(UUID().uuidString)").path

  private static func residual() throws -> ResidualDescription {
    try #require(Models.description("resnet20", inputChannels: 1, classes: 10) as? ResidualDescription)
  }

  /// Costs that grow with a power of the width: the nearest step of 1/64 is found.
  @Test(arguments: [(0.37, 2.0), (1, 2), (2.9, 1), (0.021, 1.5), (11.3, 2)])
  func findsTheNearestStep(_ width: Double, _ power: Double) throws {
    var search = WidthMatch(try Self.residual()) { pow($0 / width, power) }
    let found = try search.nearest(), nearest = max(1, (width * 64).rounded()) / 64
    #expect(abs(found.factor - nearest) <= 1.0 / 64, "\(found)")
    let reached = try #require(found.reached)
    for step in [-1.0, 1] where found.factor + step / 64 > 0 {
      #expect(abs(log(reached)) <= abs(log(pow((found.factor + step / 64) / width, power))))
    }
  }

  @Test func passesOverWidthsThatAreRefused() throws {
    // Only every fourth step is taken.
    var search = WidthMatch(try Self.residual()) { Int(($0 * 64).rounded()) % 4 == 0 ? $0 / 0.6 : nil }
    #expect(abs(try search.nearest().factor - 0.6) <= 4.0 / 64)
    var none = WidthMatch(try Self.residual()) { _ in nil }
    #expect(try none.nearest() == MatchedWidth(factor: 1, reached: nil))
  }

  /// The tables have each network's counts at its width, and say how near they come.
  @Test(arguments: ["params", "macs"]) func networksCostAsMuch(_ budget: String) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let sweep = try SweepTests.sweep(
      "kernels: [shift, depthwise-separable]\nmodels: bottleneck20\ndata: synthetic\nseeds: 1\nlatency: false\n"
        + "proxies: false\nmatch: \(budget)\ntraining: {epochs: 1, batch: 500}\n")
    let outcome = try SweepRunner(sweep, threads: 2).run(output: folder)
    #expect(outcome.left == 0 && outcome.warnings.isEmpty)
    let rows = try CSVTable(file: "\(folder)/networks.csv").rows
    let whole = try #require(rows[0].number(budget))
    #expect(
      rows[0]["width"] == "1" && rows.allSatisfy { $0["match"] == budget && $0["model"] == "bottleneck20" })
    for row in rows.dropFirst() {
      let share = try #require(row.number(budget)) / whole
      #expect(abs(share - 1) < 0.05 && (row.number("width") ?? 0) > 1, "\(row)")
      #expect(abs(share - (row.number("match_reached") ?? 0)) < 1e-3)
    }
    // A network of this width is the same run, however it came to it.
    let run = try #require(SweepPlan(sweep, threads: 2).runs.last),
      width = try #require(run.definition["model.width"])
    let plain = try SweepTests.plan(
      "kernels: [depthwise-separable]\nmodels: {name: bottleneck20, width: \(width)}\ndata: synthetic\nseeds: 1\n"
        + "training: {epochs: 1, batch: 500}\n")
    #expect(plain.runs.last?.name == run.name)
  }

  /// Measured once: the width is in a record, and stays.
  @Test func latencyIsMeasuredOnce() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let sweep = try SweepTests.sweep(
      "kernels: [shift]\nmodels: bottleneck20\ndata: synthetic\nlatency: false\nproxies: false\nmatch: latency\n"
    )
    #expect(try !SweepPlan(sweep, threads: 1).isComplete)
    #expect(try SweepRunner(sweep, threads: 1).run(output: folder).now == 2)
    let before = try CSVTable(file: "\(folder)/networks.csv").rows
    #expect(before.count == 2 && before[1].number("match_reached") != nil)
    #expect(try SweepRunner(sweep, threads: 1).run(output: folder).now == 0)
    #expect(try CSVTable(file: "\(folder)/networks.csv").rows == before)
  }

  @Test func otherModelsAreRefused() throws {
    let sweep = try SweepTests.sweep(
      "kernels: [shift]\nmodels: mobilenet_v2\ndata: synthetic\nmatch: params\n")
    let error = #expect(throws: WorkbenchError.self) { try SweepPlan(sweep, threads: 1) }
    #expect(error?.description.contains("not a residual network") == true)
  }
}
