import Foundation
import TestSupport
import Testing

/// `experiment proxies`, `field` and `trainability` as a user runs them.
struct ProxyCommandTests {
  private let folder = TemporaryFolder()

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  private func lines(_ name: String) throws -> [Substring] {
    try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n")
  }

  @Test func proxiesAreATable() throws {
    let outcome = try Experiment.run([
      "proxies", "resnet20", "--conv", "standard,adder", "--batch", "8", "--csv", path("p.csv"),
    ])
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(outcome.output.contains("grad_norm ↑"))
    #expect(outcome.output.contains("adder: synflow: it multiplies"))
    let rows = try lines("p.csv")
    #expect(
      rows[0]
        == "kernel,model,replace,data,batch,batches,seed,params,macs,grad_norm,snip,grasp,fisher,synflow,jacob_cov,naswot,zico,zen,higher_is_better,status,reason"
    )
    #expect(rows.count == 3 && rows[1].hasPrefix("standard,resnet20,spatial,digits,8,4,0,"))
  }

  @Test func fieldsAreMaps() throws {
    let outcome = try Experiment.run([
      "field", "--conv", "standard,dilated:dilation=3", "--depth", "2", "--channels", "9", "--size", "17x19",
      "--seeds", "2", "--csv", path("f.csv"), "--map", path("maps"),
    ])
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let rows = try lines("f.csv")
    #expect(
      rows[0].hasPrefix("kernel,model,depth,kernel_size,channels,seeds,batch,height,width,pixels_20,side_20"))
    #expect(rows.count == 3 && rows[1].hasPrefix("standard,stack,2,3,9,2,4,17,19,"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: path("maps")).sorted()
        == ["dilated_dilation_3.npy", "dilated_dilation_3.pgm", "standard.npy", "standard.pgm"])
  }

  /// A kernel that starts as the identity shows one pixel, and says why; with trained weights it shows what it sees.
  @Test func fieldsOfTrainedWeights() throws {
    let start = try Experiment.run([
      "field", "--conv", "non-local,1x1", "--depth", "1", "--channels", "4", "--size", "9", "--seeds", "2",
      "--csv", path("start.csv"),
    ])
    #expect(start.status == 0, "\(start.error)")
    #expect(start.output.components(separatedBy: "show a trained model's field with --weights").count == 2)
    #expect(start.output.contains("non-local: its contributions from other pixels start at zero"))
    let header = try lines("start.csv")[0].split(separator: ",")
    let column = try #require(header.firstIndex(of: "standard_error"))
    let cells = try lines("start.csv")[1].split(separator: ",", omittingEmptySubsequences: false)
    // All of it is at the centre, in every draw.
    #expect(cells[column] == "0.0000", "\(cells)")
    let train = try Experiment.run([
      "train", "--conv", "non-local", "--data", "synthetic", "--steps", "3", "--save", path("w.safetensors"),
    ])
    #expect(train.status == 0, "\(train.error)")
    let field = [
      "field", "bottleneck20", "--conv", "non-local", "--seeds", "2", "--batch", "2", "--csv",
    ]
    let fresh = try Experiment.run(field + [path("fresh.csv")])
    let trained = try Experiment.run(field + [path("trained.csv"), "--weights", path("w.safetensors")])
    #expect(fresh.status == 0 && trained.status == 0, "\(fresh.error)\(trained.error)")
    #expect(try lines("fresh.csv") != lines("trained.csv"))
    // The other convolutions of the model hide that non-local starts as the identity.
    #expect(fresh.output.contains("non-local: some of its weights are zero before training"))
    #expect(!trained.output.contains("before training"))
    // Weights of another kernel are refused, as everywhere.
    let other = try Experiment.run([
      "field", "bottleneck20", "--conv", "dilated", "--weights", path("w.safetensors"),
    ])
    #expect(other.status == 1 && other.error.contains("was saved for --conv non-local"), "\(other.error)")
  }

  /// A rule for initial weights changes every command that builds a network; `default` is the model's own.
  @Test(arguments: [
    ["proxies", "--proxies", "snip"], ["trainability", "--depths", "20", "--epochs", "0"],
    ["field", "--conv", "standard", "--depth", "2", "--channels", "4", "--size", "9", "--seeds", "1"],
    ["field", "bottleneck20", "--conv", "standard", "--seeds", "1"],
  ]) func initialWeightsAreChosen(_ arguments: [String]) throws {
    func output(_ more: [String]) throws -> String {
      let outcome = try Experiment.run(arguments + more)
      #expect(outcome.status == 0, "\(outcome.error)")
      return outcome.output
    }
    let own = try output([])
    #expect(try output(["--init", "default"]) == own)
    #expect(try output(["--init", "xavier:distribution=uniform"]) != own)
  }

  @Test func gradientsHaveRows() throws {
    let outcome = try Experiment.run([
      "trainability", "--depths", "20", "--epochs", "1", "--csv", path("t.csv"),
    ])
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let rows = try lines("t.csv")
    #expect(rows[0] == "kernel,model,depth,shortcut,when,top1,layer,index,norm,weight_norm")
    // Twenty layers with weights, with and without shortcuts, before and after.
    #expect(rows.count == 1 + 20 * 4)
    #expect(rows.contains { $0.hasPrefix("standard,resnet20,20,none,trained,") })
  }

  /// Arguments, and the status that refuses them.
  static let wrong: [(String, Int32)] = [
    ("proxies resnet9", 1), ("proxies --conv nothing", 1), ("proxies --batch 1", 64),
    ("proxies --proxies none", 64), ("proxies --weights /nowhere", 1), ("proxies --csv /nowhere/x.csv", 1),
    ("proxies --conv standard,shift --weights w", 1), ("field", 64), ("field --conv standard --kernel 2", 64),
    ("field --conv standard --model resnet20 --depth 2", 64), ("field --conv standard --map /dev/null/x", 1),
    ("field --conv standard --weights w", 64), ("field resnet20 --conv standard,shift --weights w", 1),
    ("field --conv standard --size 0", 64), ("field --conv deformable:groups=4 --channels 7 --depth 1", 1),
    ("trainability --depths 21", 1), ("trainability --depths x", 1), ("trainability --shortcut none", 64),
    ("trainability --data nothing", 1), ("describe resnet20 --shortcut none --zero-init", 1),
  ]

  @Test(arguments: wrong) func wrongInputIsRefused(_ text: String, _ status: Int32) throws {
    let outcome = try Experiment.run(text.split(separator: " ").map(String.init))
    #expect(outcome.status == status, "\(text): \(outcome.error)")
    #expect(outcome.error.hasPrefix("Error: "), "\(text): \(outcome.error)")
  }
}
