import Experiments
import Foundation
import TestSupport
import Testing

/// `experiment features` as a user runs it.
struct FeaturesCommandTests {
  let folder = TemporaryFolder()

  @Test func drawsWhatATrainedNetworkSees() throws {
    let weights = folder.appendingPathComponent("net.safetensors").path
    let output = folder.appendingPathComponent("out").path
    #expect(
      try Experiment.run([
        "train", "--conv", "shift", "--steps", "2", "--save", weights, "--quiet",
      ]).output.isEmpty)
    let base = ["features", "--conv", "shift", "--weights", weights, "--output", output]
    let outcome = try Experiment.run(base + ["--image", "3"])
    #expect(outcome.status == 0, "\(outcome.error)")
    let table = try CSVTable(file: "\(output)/features.csv")
    // The image, the stem's filters, and a layer of each size: 8×8, 4×4 and 2×2.
    #expect(table.rows.map { $0["shows"] } == ["maps", "filters", "maps", "maps", "maps"])
    #expect(table.rows[1]["layer"] == "conv1.weight" && table.rows[1]["shown"] == "16")
    #expect(table.rows.map { $0["h"] } == ["8", "3", "8", "4", "2"])
    for row in table.rows {
      let picture = FileManager.default.contents(atPath: "\(output)/features/\(row["file"] ?? "")")
      #expect(picture?.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]), "\(row)")
    }
    let wrong = try Experiment.run(base + ["--layers", "layer9"])
    #expect(wrong.status == 1 && wrong.error.contains("There is no layer ‘layer9’ with feature maps; "))
    #expect(try Experiment.run(base + ["--image", "9999"]).status == 1)
    // A report shows them.
    #expect(try Experiment.run(["report", output]).status == 0)
    let page = try String(contentsOfFile: "\(output)/report.html", encoding: .utf8)
    #expect(page.components(separatedBy: "<img src=\"data:image/png;base64,").count == 6)
    #expect(page.contains("<h3>Filters of conv1.weight: bottleneck20, shift, digits</h3>"))
  }
}
