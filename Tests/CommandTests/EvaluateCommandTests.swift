import Foundation
import Testing

/// `experiment evaluate`.
@Suite final class EvaluateCommandTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "evaluate-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// The rows of a table, by columns.
  private func rows(_ name: String) throws -> [[String: String]] {
    let lines = try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { Dictionary(zip(lines[0], $0), uniquingKeysWith: { $1 }) }
  }

  /// What a training's own look at the test split found, found again from its weights.
  @Test func findsWhatTheTrainingFound() throws {
    let train = try Experiment.run([
      "train", "resnet20", "--epochs", "2", "--save", path("net.safetensors"), "--log", path("net.csv"),
    ])
    #expect(train.status == 0, "\(train.error)")
    let outcome = try Experiment.run([
      "evaluate", "resnet20", "--weights", path("net.safetensors"), "--data", "digits", "--csv",
      path("e.csv"), "--confusion", path("c.csv"),
    ])
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let all = try #require(rows("e.csv").first)
    #expect(all["class"] == "all" && all["images"] == "382" && all["split"] == "test")
    let top1 = try #require(Double(all["top1"] ?? ""))
    #expect(train.output.contains("test: \(String(format: "%.2f", top1)) %, loss "))
    let tested = try rows("net.csv").filter { $0["test_accuracy"] != "" }
    #expect(tested.count == 1 && abs((Double(tested[0]["test_accuracy"] ?? "") ?? 0) - top1) < 0.01)
    #expect(try rows("net.csv").count { $0["validation_accuracy"] != "" } == 2)
    // Classes add up to all.
    let classes = try rows("e.csv").dropFirst()
    #expect(classes.count == 10)
    let right = classes.reduce(0) { $0 + (Double($1["top1"] ?? "") ?? 0) * (Double($1["images"] ?? "") ?? 0) }
    #expect(abs(right / 382 - top1) < 0.01)
    let confusion = try rows("c.csv")
    #expect(confusion.count == 10)
    let diagonal = confusion.enumerated().reduce(0) { $0 + (Int($1.element["\($1.offset)"] ?? "") ?? 0) }
    #expect(abs(100 * Double(diagonal) / 382 - top1) < 0.001)
    #expect(outcome.output.contains("top-5") && outcome.output.contains("calibration error"))

    let validation = try Experiment.run([
      "evaluate", "resnet20", "--weights", path("net.safetensors"), "--split", "validation",
    ])
    #expect(validation.output.contains("258 validation images"))
    let other = try Experiment.run(["evaluate", "resnet32", "--weights", path("net.safetensors")])
    #expect(other.status == 1 && other.error.contains("resnet20") && other.output.isEmpty, "\(other.error)")
    for (arguments, status, words) in [
      (["--data", "digits:validation=0", "--split", "validation"], 1, "no validation split"),
      (["--split", "all"], 64, "split"), (["--csv", path("x"), "--confusion", path("x")], 64, "x"),
      (["--csv", path("none/x.csv")], 1, "none"),
    ] {
      let refused = try Experiment.run(
        ["evaluate", "resnet20", "--weights", path("net.safetensors")] + arguments)
      #expect(refused.status == Int32(status) && refused.error.contains(words), "\(refused.error)")
    }
  }

  @Test func regressionsHaveErrors() throws {
    let train = try Experiment.run([
      "train", "mean_spot", "--data", "spots", "--epochs", "1", "--save", path("net.safetensors"),
    ])
    #expect(train.status == 0, "\(train.error)")
    let outcome = try Experiment.run([
      "evaluate", "mean_spot", "--weights", path("net.safetensors"), "--data", "spots", "--csv", path("e.csv"),
    ])
    #expect(outcome.status == 0, "\(outcome.error)")
    let row = try #require(rows("e.csv").first), mse = try #require(Double(row["mse"] ?? ""))
    #expect(row["top1"] == "" && train.output.contains("test: MSE \(String(format: "%.5f", mse))"))
    let refused = try Experiment.run([
      "evaluate", "mean_spot", "--weights", path("net.safetensors"), "--data", "spots", "--confusion", path("c"),
    ])
    #expect(refused.status == 1 && refused.error.contains("--confusion"))
  }
}
