import Foundation
import Kernels
import TestSupport
import Testing

/// `experiment bench` as a user runs it.
struct BenchCommandTests {
  private let folder = TemporaryFolder()

  private func bench(_ arguments: String...) throws -> (Experiment.Outcome, rows: [[String]]) {
    let csv = folder.appendingPathComponent("rows.csv")
    try? FileManager.default.removeItem(at: csv)
    let outcome = try Experiment.run(["bench", "--seconds", "0.01", "--csv", csv.path] + arguments)
    let text = (try? String(contentsOf: csv, encoding: .utf8)) ?? ""
    return (
      outcome,
      text.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
    )
  }

  @Test func timesAProblem() throws {
    let (outcome, rows) = try bench(
      "--problem", "mb1_ic8ih6oc8oh6kh3ph1", "--conv", "dilated,adder", "--pass", "training", "--threads", "2"
    )
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(rows.count == 4)
    #expect(rows.dropFirst().map { $0[0] } == ["standard", "dilated", "adder"])
    #expect(
      rows.dropFirst().allSatisfy {
        $0[2] == "training" && $0[3] == "mb1_ic8ih6oc8oh6kh3ph1" && $0[30] == "ok"
      })
  }

  @Test func everyAlgorithmCanBeForced() throws {
    let problem = "mb1_ic8ih6oc8oh6kh3ph1"
    let offered = try bench("--problem", problem, "--algorithm", "all").rows.dropFirst().map { $0[1] }
    let known = try KernelRegistry.builtIn.choice("standard").kernel.algorithms
    #expect(
      offered.contains("direct") && Set(offered).count == offered.count && offered.allSatisfy(known.contains))
    let wanted = offered + ["reference"]
    let (outcome, rows) = try bench(
      "--problem", problem, "--algorithm", wanted.joined(separator: ","))
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(rows.dropFirst().map { $0[1] } == wanted && rows.dropFirst().allSatisfy { $0[30] == "ok" })
  }

  /// max computes the forward pass only: direct runs in its place backward, and has one row where all are timed.
  @Test func theAlgorithmIsTheOneThatRan() throws {
    func algorithms(_ name: String, _ pass: String) throws -> [String] {
      let (outcome, rows) = try bench(
        "--problem", "mb1_ic32ih6oc32oh6kh3ph1", "--conv", "adder", "--algorithm", name, "--pass", pass)
      #expect(outcome.status == 0, "\(outcome.error)")
      return rows.filter { $0[0] == "adder" }.map { $0[1] }
    }
    #expect(try algorithms("max", "forward") == ["max"])
    #expect(try algorithms("max", "backward") == ["direct"])
    let all = try algorithms("all", "backward")
    #expect(all.contains("direct") && !all.contains("max") && Set(all).count == all.count, "\(all)")
  }

  /// A window that does not fit into the image is a sentence for each algorithm, inside another kernel too.
  @Test(arguments: ["dilated:dilation=2", "squeeze-excite:around=dilated:dilation=2"])
  func aWindowThatDoesNotFitIsRefused(_ item: String) throws {
    let (outcome, rows) = try bench(
      "--problem", "mb1_ic8ih3oc8oh1kh3", "--conv", item, "--algorithm", "all")
    #expect(outcome.status == 0, "\(outcome.error)")
    let own = rows.filter { $0[0] == item }
    #expect(!own.isEmpty && own.allSatisfy { $0[30] == "refused" }, "\(own)")
  }

  /// A kernel around a convolution offers that convolution's algorithms; the one that it chooses comes first.
  @Test func aKernelAroundAnotherChoosesAsThatOneDoes() throws {
    let (outcome, rows) = try bench(
      "--problem", "mb1_ic64ih56oc64oh56kh3ph1", "--conv", "squeeze-excite", "--algorithm", "all")
    #expect(outcome.status == 0, "\(outcome.error)")
    let own = rows.dropFirst().filter { $0[0] == "squeeze-excite" }
    let standard = rows.dropFirst().filter { $0[0] == "standard" }
    #expect(own.map { $0[1] } == standard.map { $0[1] })
    #expect(own.allSatisfy { $0[30] == "ok" })
  }

  @Test func unsupportedLinesOfAFileAreReported() throws {
    let file = folder.appendingPathComponent("shapes")
    try "# a comment\n\nmb1_ic8ih6oc8oh6kh3ph1n\"a\"\nmb1ic3id4ih4oc4kd3kh3\nic8iw9oc8kw3\n--reset\n"
      .write(to: file, atomically: true, encoding: .utf8)
    let (outcome, rows) = try bench("--problems", file.path, "--batch", "3")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(rows.dropFirst().map { $0[30] } == ["ok", "unsupported", "ok", "unsupported"])
    #expect(rows[1][4] == "3")
    #expect(outcome.output.contains("3-d"))
    // A line of one dimension has height 1.
    #expect(rows[3][7] == "1" && rows[3][8] == "9" && rows[3][9] == "1" && rows[3][10] == "3")
  }

  @Test func timesAModelByLayer() throws {
    let (outcome, rows) = try bench("--model", "bottleneck20", "--detail", "--conv", "shift", "--batch", "2")
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(rows.count == 3)
    for name in ["conv1", "layer2.0.downsample.0", "layer3.1.conv2", "fc", "total"] {
      #expect(outcome.output.contains("\n\(name) "), "\(name) is missing")
    }
  }

  /// Counts of a network's passes are those of its layers: an adder's backward pass multiplies, its forward pass hardly.
  @Test func passesOfAModelAreCounted() throws {
    func counts(_ pass: String) throws -> [(macs: Int, adds: Int)] {
      let (outcome, rows) = try bench(
        "--model", "bottleneck20", "--conv", "adder", "--pass", pass, "--batch", "2")
      #expect(outcome.status == 0, "\(outcome.error)")
      return rows.dropFirst().map { (Int($0[17]) ?? 0, Int($0[18]) ?? 0) }
    }
    let forward = try counts("forward"), backward = try counts("backward"), training = try counts("training")
    try #require(forward.count == 2 && backward.count == 2 && training.count == 2)
    let terms = forward[0].macs - forward[1].macs
    #expect(forward[1].adds == forward[0].adds + 2 * terms)
    #expect(backward[1].macs == backward[0].macs && backward[1].adds == backward[0].adds + terms)
    #expect(training[1].macs == training[0].macs - terms)
  }

  @Test func layersGoToAFile() throws {
    let file = folder.appendingPathComponent("layers.csv")
    let (outcome, _) = try bench("--model", "bottleneck20", "--conv", "shift", "--layers", file.path)
    #expect(outcome.status == 0, "\(outcome.error)")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(lines[0] == "model,replace,data,kernel,layer,batch,c_in,h,w,algorithm,ms,threads")
    #expect(lines.contains { $0.hasPrefix("bottleneck20,spatial,,shift,layer3.1.conv2,1,") })
    #expect(!outcome.output.contains("layer3.1.conv2"))
  }

  @Test func tuningIsRemembered() throws {
    let file = folder.appendingPathComponent("tuning.json")
    let (outcome, _) = try bench(
      "--problem", "mb1_ic8ih6oc8oh6kh3ph1", "--tune", "--tune-file", file.path, "--threads", "1")
    #expect(outcome.status == 0, "\(outcome.error)")
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains("mb1_ic8ih6oc8oh6kh3ph1"))
    try "nonsense".write(to: file, atomically: true, encoding: .utf8)
    #expect(try bench("--problem", "ic8ih6oc8kh3", "--tune", "--tune-file", file.path).0.status == 1)
  }

  @Test(arguments: [
    ("--problem nonsense", 1), ("--problems /nowhere", 1), ("--model vgg", 1),
    ("--problem ic8ih6oc8kh3 --model resnet18", 64),
    ("--detail", 64), ("--layers x.csv", 64), ("--model resnet18 --layers x.csv --pass backward", 64),
    ("--model resnet18 --layers /nowhere/x.csv", 1), ("--algorithm fastest", 1),
    ("--problem ic8ih6oc8kh5 --algorithm winograd", 1),
    ("--pass sideways", 64),
    ("--batch 0", 64), ("--model resnet18 --batch 1048576", 1), ("--seconds 0", 64), ("--conv nothing", 1),
    ("--model resnet18 --algorithm all", 1),
    ("--tune-file x", 64), ("--problem ic8ih6oc8kh3 --tune --tune-file same.x --csv ./same.x", 64),
    ("--model resnet18 --layers same.csv --csv same.csv", 64),
    ("--problem ic8ih6oc8kh3 --csv /nowhere/x.csv", 1),
  ]) func wrongInputIsRefused(_ text: String, _ status: Int32) throws {
    let outcome = try Experiment.run(
      ["bench", "--seconds", "0.01"] + text.split(separator: " ").map(String.init))
    #expect(outcome.status == status)
    #expect(
      outcome.error.hasPrefix("Error: ") && outcome.error.split(separator: "\n").count == 1,
      "\(outcome.error)")
  }
}
