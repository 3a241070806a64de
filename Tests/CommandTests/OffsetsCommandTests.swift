import Foundation
import TestSupport
import Testing

/// `experiment offsets` as a user runs it.
@Suite(.serialized) struct OffsetsCommandTests {
  let folder = TemporaryFolder()

  /// The example of the help runs as it stands there.
  @Test func exampleOfTheHelpRuns() throws {
    let help = try Experiment.run(["offsets", "--help"]).output
    let words = try #require(help.range(of: "Example: "))
    // The parser breaks lines as wide as the terminal.
    let paragraph = help[words.upperBound...].components(separatedBy: "\n\n")[0]
    let example = paragraph.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(example.contains("swift run experiment train --conv deformable"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.currentDirectoryURL = folder.url
    process.arguments = [
      "-c", example.replacingOccurrences(of: "swift run experiment", with: "'\(Experiment.executable.path)'"),
    ]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    for file in ["net.safetensors", "offsets.csv", "offsets-image.csv", "report.html"] {
      #expect(
        FileManager.default.fileExists(atPath: folder.appendingPathComponent("out/\(file)").path), "\(file)")
    }
  }

  @Test func showsWhereATrainedNetworkReads() throws {
    let weights = folder.appendingPathComponent("net.safetensors").path
    let csv = folder.appendingPathComponent("offsets.csv").path
    let trained = try Experiment.run([
      "train", "bottleneck20", "--conv", "deformable-v2", "--steps", "2", "--save", weights,
    ])
    #expect(trained.status == 0, "\(trained.error)")
    let base = ["offsets", "bottleneck20", "--conv", "deformable-v2", "--weights", weights, "--csv", csv]
    let outcome = try Experiment.run(base + ["--image", "5"])
    #expect(outcome.status == 0 && outcome.output.hasPrefix("layer2.1.conv2\n"), "\(outcome.error)")
    let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
    #expect(
      lines[0]
        == "model,replace,data,image,kernel,layer,row,column,offset_group,tap,grid_y,grid_x,y,x,mask,image_grid_y,image_grid_x,image_y,image_x"
    )
    #expect(lines.count == 1 + 27)
    let image = folder.appendingPathComponent("offsets-image.csv").path
    #expect(try String(contentsOfFile: image, encoding: .utf8).split(separator: "\n").count == 1 + 64)
    #expect(try Experiment.run(base + ["--layer", "layer1.0.conv2"]).status == 0)
    for (wrong, status) in [
      (["--image", "382"], 1), (["--image=-1"], 1), (["--layer", "fc"], 1), (["--input", "/nowhere"], 1),
      (["--data", "digits", "--input", "x.npy"], 64), (["--conv", "standard"], 1),
    ] as [([String], Int32)] {
      let refused = try Experiment.run(base + wrong)
      #expect(refused.status == status && refused.error.split(separator: "\n").count == 1, "\(wrong)")
    }
  }
}
