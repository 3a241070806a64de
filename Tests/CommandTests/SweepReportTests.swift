import Foundation
import Testing

/// `experiment report` as a user runs it.
@Suite(.serialized) struct SweepReportTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)")

  /// The tables of results/, in a folder of their own.
  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let results = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../results").standardized
    for name in ["networks.csv", "operators.csv", "training.csv", "machine.json"] {
      try FileManager.default.copyItem(
        at: results.appendingPathComponent(name), to: folder.appendingPathComponent(name))
    }
  }

  private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  @Test func withoutGnuplotThereAreScriptsDataAndThePage() throws {
    let outcome = try Experiment.run(
      Experiment.executable, ["report", folder.path], environment: ["PATH": ""])
    let text = outcome.error
    #expect(outcome.status == 0)
    #expect(text.hasPrefix("gnuplot is not installed") && text.contains("apt-get install gnuplot-nox"))
    #expect(text.split(separator: "\n").count == 1)
    for name in ["report.html", "plots/roofline.gp", "plots/roofline.dat"] { #expect(exists(name)) }
    #expect(!exists("plots/roofline.svg"))
    let page = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
    #expect(page.contains("<table>") && page.contains("deformable-v2") && !page.contains("<svg"))
  }

  /// Where gnuplot is installed, every picture is drawn.
  @Test func picturesAreDrawn() throws {
    let outcome = try Experiment.run(["report", folder.path])
    #expect(outcome.status == 0)
    guard outcome.error.isEmpty else {
      #expect(outcome.error.hasPrefix("gnuplot is not installed"), "\(outcome.error)")
      return
    }
    let page = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
    let scripts = try FileManager.default.contentsOfDirectory(
      atPath: folder.appendingPathComponent("plots").path
    )
    .filter { $0.hasSuffix(".gp") }
    #expect(scripts.count >= 6)
    for script in scripts {
      let stem = script.dropLast(3)
      #expect(exists("plots/\(stem).svg") && exists("plots/\(stem).png"))
    }
    #expect(page.components(separatedBy: "<svg").count == scripts.count + 1)
    for reference in ["src=", "@import"] { #expect(!page.contains(reference)) }
  }

  @Test func tablesForPapers() throws {
    #expect(try Experiment.run(["report", folder.path, "--format", "markdown"]).status == 0)
    #expect(try Experiment.run(["report", folder.path, "--format", "latex"]).status == 0)
    let markdown = try String(contentsOf: folder.appendingPathComponent("report.md"), encoding: .utf8)
    #expect(markdown.contains("| deformable-v2 |") && markdown.contains("## Operators"))
    let latex = try String(contentsOf: folder.appendingPathComponent("report.tex"), encoding: .utf8)
    #expect(latex.contains("\\begin{tabular}") && latex.contains("oc64oh56kh3ph1n\\textquotedbl{}res2"))
    let wrong = try Experiment.run(["report", folder.path, "--format", "pdf"])
    #expect(wrong.status == 64 && wrong.error.hasPrefix("Error: "))
    let nowhere = try Experiment.run(["report", folder.path + "/nowhere"])
    #expect(nowhere.status == 1 && nowhere.error.split(separator: "\n").count == 1)
  }
}
