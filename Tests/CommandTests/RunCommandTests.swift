import Foundation
import Testing

/// `experiment run` and `list` as a user runs them.
@Suite(.serialized) struct RunCommandTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")

  private func lines(_ name: String) throws -> [String] {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8).split(separator: "\n").map(
      String.init)
  }

  @Test func writesTheTables() throws {
    let outcome = try Experiment.run([
      "--conv", "adder:dilation=2", "--data", "synthetic", "--epochs", "1", "--seeds", "2", "--output",
      folder.path,
    ])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.error.isEmpty, "progress is for terminals: \(outcome.error)")
    #expect(outcome.output.contains("adder:dilation=2"))
    let operators = try lines("operators.csv")
    #expect(
      operators[0].hasPrefix(
        "kernel,algorithm,pass,problem,batch,c_in,c_out,h,w,kh,kw,stride,padding,dilation,groups,threads,params,macs"
      ))
    // standard by direct, winograd, winograd2 and fft, adder by direct and max; four shapes, two passes.
    #expect(operators.count == 1 + 6 * 4 * 2)
    #expect(try lines("networks.csv").count == 3)
    #expect(try lines("training.csv").count == 1 + 2 * 2)
    #expect(try lines("machine.json").joined().contains("instruction_set"))
  }

  @Test func interruptionLeavesFinishedRows() throws {
    let (process, _, _) = try Experiment.start([
      "--conv", "shift", "--epochs", "1000", "--output", folder.path,
    ])
    Thread.sleep(forTimeInterval: 2)
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    #expect(try lines("operators.csv")[0].hasPrefix("kernel,"))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(files == ["machine.json", "networks.csv", "operators.csv", "training.csv"])
  }

  /// The arguments, and the status that refuses them.
  static let wrong: [(String, Int32)] = [
    ("--conv nothing", 1), ("--conv dilated --data cifar10:/nowhere", 1), ("--conv dilated --data mnist", 1),
    ("--conv dilated --model vgg", 1), ("--conv dilated --epochs -1", 64), ("--conv dilated --seeds 0", 64),
    ("--conv dilated --replace some", 64), ("--conv ,", 1), ("", 64), ("--convolution dilated", 64),
    ("--conv dilated --output /dev/null/x", 1), ("--conv dilated --output /proc", 1),
  ]

  @Test(arguments: wrong) func wrongInputIsRefused(_ text: String, _ status: Int32) throws {
    let arguments = text.split(separator: " ").map(String.init)
    let hasOutput = text.contains("--output") || text.isEmpty
    let outcome = try Experiment.run(arguments + (hasOutput ? [] : ["--output", folder.path]))
    #expect(outcome.status == status, "\(arguments): \(outcome.error)")
    #expect(outcome.error.hasPrefix("Error: "), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    #expect(!FileManager.default.fileExists(atPath: folder.path))
  }

  @Test func listShowsEveryKernel() throws {
    let outcome = try Experiment.run(["list"])
    for name in ["standard", "1x1", "dilated", "deformable", "deformable-v2", "shift", "adder", "fft"] {
      #expect(outcome.output.contains("\n\(name): ") || outcome.output.hasPrefix("\(name): "))
    }
    #expect(outcome.output.contains("arXiv:1912.13200"))
  }
}
