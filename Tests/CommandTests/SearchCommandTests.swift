import Foundation
import TestSupport
import Testing

/// `experiment search`, and blocks, as a user meets them.
struct SearchCommandTests {
  private let folder = TemporaryFolder()

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Eight networks of two kernels in three stages: `shift` costs half and is a point less accurate in each stage.
  private func writeTable() throws {
    var text = "kernel,model,replace,data,params,macs,epochs,status,top1_mean\n"
    for number in 0..<8 {
      let shifts = (0..<3).map { number >> $0 & 1 == 1 }, count = shifts.count { $0 }
      let kernel =
        Set(shifts).count == 1 ? nil : shifts.map { $0 ? "shift" : "standard" }.joined(separator: "+")
      text +=
        "\(kernel ?? (shifts[0] ? "shift" : "standard")),m,spatial,d,\(100 - count),\(1000 - 150 * count),3,ok,\(90 - count)\n"
    }
    try text.write(toFile: path("networks.csv"), atomically: true, encoding: .utf8)
  }

  @Test func aTableIsSearchedWithinABudget() throws {
    try writeTable()
    let outcome = try Experiment.run([
      "search", "--table", path("networks.csv"), "--budget", "macs=0.9x", "--repeats", "20", "--csv",
      path("s.csv"),
    ])
    #expect(outcome.status == 0, "\(outcome.error)")
    // All but the standard network cost less than nine tenths; the best of them has one shift.
    #expect(outcome.output.contains("7 networks within the budget") && outcome.output.contains("89.00 %"))
    #expect(outcome.output.contains("halving is left out"))
    #expect(outcome.output.split(separator: "\n").allSatisfy { $0.count <= 90 }, "\(outcome.output)")
    let rows = try String(contentsOfFile: path("s.csv"), encoding: .utf8).split(separator: "\n")
    #expect(rows[0].hasPrefix("method,evaluations,top1_mean,top1_ci95"))
    // Who has evaluated all seven knows the best.
    #expect(rows.contains { $0.hasPrefix("random,7,89.000,") })
  }

  @Test(arguments: [
    (["--budget", "speed=1x"], 1), (["--budget", "macs=0.1x"], 1), (["--filter", "zico"], 1), ([], 64),
  ]) func whatCannotBeSearchedIsRefused(_ arguments: [String], _ status: Int) throws {
    try writeTable()
    let table = status == 64 ? [] : ["--table", path("networks.csv")]
    let outcome = try Experiment.run(["search"] + table + arguments)
    #expect(outcome.status == Int32(status) && outcome.error.hasPrefix("Error: "), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1)
  }

  /// A search trains each network once, so it refuses what adds trainings.
  @Test(arguments: ["tune: true", "until: 1"]) func whatAddsTrainingsIsRefused(_ line: String) throws {
    let file = path("a.yaml")
    let text =
      "models: bottleneck20\ndata: digits\nspace: {kernels: [standard, shift]}\n\(line)\ntraining: {epochs: 1}\n"
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    let outcome = try Experiment.run(["search", file, "--output", path("out")])
    #expect(outcome.status == 1 && outcome.error.contains("leave out tune and until"), "\(outcome.error)")
    #expect(!FileManager.default.fileExists(atPath: path("out")))
  }

  @Test(arguments: ["inverted-residual", "convnext", "repvgg"]) func blocksAreNamed(_ block: String) throws {
    let described = try Experiment.run([
      "describe", "bottleneck20", "--block", block, "--conv", "dilated", "--csv", path("d.csv"),
    ])
    #expect(described.status == 0 && described.output.contains("dilated"), "\(described.error)")
    let run = try Experiment.run([
      "run", "--conv", "dilated", "--block", block, "--width", "0.5", "--epochs", "0", "--data", "digits",
      "--output", path("run"),
    ])
    #expect(run.status == 0, "\(run.error)")
    let rows = try String(contentsOfFile: path("run/networks.csv"), encoding: .utf8)
    #expect(rows.contains(",bottleneck20:block=\(block)"), "\(rows)")
  }
}
