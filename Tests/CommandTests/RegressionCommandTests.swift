import Foundation
import Tensors
import TestSupport
import Testing

/// Networks of several inputs, regression and segmentation as a user runs them.
struct RegressionCommandTests {
  private let folder = TemporaryFolder()

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  private func lines(_ name: String) throws -> [String] {
    try String(contentsOfFile: path(name), encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test func runReportsErrors() throws {
    let outcome = try Experiment.run([
      "run", "--conv", "dilated", "--model", "mean_spot", "--data", "spots", "--epochs", "1", "--seeds", "2",
      "--output", path("out"),
    ])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains("MSE") && outcome.output.contains("MAE"))
    let networks = try lines("out/networks.csv"), training = try lines("out/training.csv")
    #expect(
      networks[0].contains(
        ",top1_mean,top1_ci95,test_mse_mean,test_mse_ci95,test_mae_mean,test_mae_ci95,seeds,"))
    #expect(
      training[0].contains(",test_top1,seconds,replace,test_mse,test_mae,validation_mse,validation_mae,"))
    let row = Dictionary(
      zip(
        networks[0].split(separator: ","), networks[1].split(separator: ",", omittingEmptySubsequences: false)
      )
      .map { (String($0.0), String($0.1)) }, uniquingKeysWith: { $1 })
    #expect(row["top1_mean"] == "")
    #expect(Double(row["test_mse_mean"] ?? "") ?? 1 < 0.2 && Double(row["test_mae_mean"] ?? "") ?? 1 < 0.5)
  }

  /// Stopped after some steps and resumed by another process, with another number of threads: the same files, dropout
  /// included.
  @Test(arguments: [
    ["mean_spot_cbam", "--conv", "deformable", "--data", "spots", "--epochs", "2"],
    ["mobilenet_v2", "--data", "synthetic", "--epochs", "1"],
  ]) func resumesBitForBit(_ options: [String]) throws {
    func train(_ name: String, _ more: [String]) throws -> Experiment.Outcome {
      try Experiment.run(
        ["train"] + options + ["--save", path("\(name).safetensors"), "--log", path("\(name).csv")] + more)
    }
    #expect(try train("whole", ["--steps", "6"]).status == 0)
    #expect(try train("parts", ["--steps", "2", "--threads", "1"]).status == 0)
    let second = try train(
      "parts", ["--steps", "6", "--resume", path("parts.safetensors"), "--threads", "3"])
    #expect(second.status == 0, "\(second.error)")
    for suffix in ["safetensors", "resume.safetensors", "csv"] {
      let whole = FileManager.default.contents(atPath: path("whole.\(suffix)"))
      #expect(
        whole != nil && whole == FileManager.default.contents(atPath: path("parts.\(suffix)")), "\(suffix)")
    }
  }

  /// Far from 0 and small beside it: targets are standardised for training, and what is predicted is in their units.
  @Test func predictionsAreInTheTargetsUnits() throws {
    var random = Random(seed: 2)
    try FileManager.default.createDirectory(atPath: path("data"), withIntermediateDirectories: true)
    for (name, count) in [("train", 64), ("test", 32)] {
      let images = Tensor(normal: [count, 1, 8, 8], using: &random)
      let targets = (0..<count).map { 5000 + 200 * images[64 * $0] }
      try NpyFile.write(images, to: path("data/\(name)_images.npy"))
      try NpyFile.write(Tensor(targets, [count]), to: path("data/\(name)_targets.npy"))
    }
    let base = ["resnet20", "--data", "npy:\(path("data"))", "--epochs", "3"]
    let outcome = try Experiment.run(["train"] + base + ["--save", path("net.safetensors")])
    #expect(
      outcome.status == 0 && outcome.output.contains("trained on standardised targets: mean"),
      "\(outcome.error)"
    )
    let apply = [
      "logits", "resnet20", "--weights", path("net.safetensors"), "--input", path("data/test_images.npy"),
      "--output", path("y.npy"),
    ]
    #expect(try Experiment.run(apply).status == 0)
    let predictions = try NpyFile.read(path("y.npy")).tensor()
    #expect(predictions.shape == [32, 1] && predictions.values.allSatisfy { abs($0 - 5000) < 1000 })
    // The error of always saying the mean is about 160.
    let end = try #require(outcome.output.components(separatedBy: "MAE ").last)
    let mae = end.prefix { $0.isNumber || $0 == "." }
    #expect((Double(mae) ?? .nan) < 400, "\(mae)")
    // Trained on the targets as they are, three epochs do not come near.
    let raw = try Experiment.run(
      ["train"] + base + ["--standardize", "off", "--save", path("net.safetensors"), "--force"])
    #expect(raw.status == 0 && !raw.output.contains("trained on targets"), "\(raw.error)")
    #expect(try Experiment.run(apply).status == 0)
    #expect(try NpyFile.read(path("y.npy")).tensor().values.allSatisfy { abs($0) < 1000 })
  }

  @Test func severalInputsComeFromSeveralFiles() throws {
    #expect(
      try Experiment.run([
        "train", "mean_spot", "--data", "spots", "--epochs", "1", "--save", path("net.safetensors"), "--log",
        path("net.csv"),
      ]).status == 0)
    #expect(
      try lines("net.csv")[0]
        == "step,epoch,loss,accuracy,rate,test_accuracy,test_mse,test_mae,validation_mse,validation_mae")
    var random = Random(seed: 1)
    let images = Tensor(normal: [2, 3, 42, 42], using: &random), size = 42 * 42
    try NpyFile.write(images, to: path("all.npy"))
    let names = ["a.npy", "b.npy", "c.npy"]
    for (channel, name) in names.enumerated() {
      var values: [Float] = []
      for image in 0..<2 {
        let first = (image * 3 + channel) * size
        values += images.values[first..<first + size]
      }
      try NpyFile.write(Tensor(values, [2, 1, 42, 42]), to: path(name))
    }
    func logits(_ input: String, _ output: String) throws -> Experiment.Outcome {
      try Experiment.run([
        "logits", "mean_spot", "--weights", path("net.safetensors"), "--input", input, "--output",
        path(output),
      ])
    }
    #expect(try logits(path("all.npy"), "y.npy").status == 0)
    #expect(try logits(names.map(path).joined(separator: ","), "z.npy").status == 0)
    #expect(try NpyFile.read(path("y.npy")).shape == [2, 1])
    #expect(try NpyFile.read(path("y.npy")).tensor() == NpyFile.read(path("z.npy")).tensor())
    for input in [path("a.npy"), "\(path("a.npy")),\(path("b.npy"))", "\(path("all.npy")),", ","] {
      let outcome = try logits(input, "none.npy")
      #expect(outcome.status == 1 && outcome.error.hasPrefix("Error: "), "\(input)")
    }
    try NpyFile.write(Tensor(repeating: 0, [2, 1, 40, 42]), to: path("b.npy"))
    let outcome = try logits(names.map(path).joined(separator: ","), "none.npy")
    #expect(outcome.error.contains("their number and size must be equal"))
  }

  /// What a model cannot do is said in one sentence.
  @Test(arguments: [
    ["train", "deeplabv3_resnet50"], ["run", "--conv", "standard", "--model", "deeplabv3_resnet50"],
    ["proxies", "deeplabv3_resnet50"],
    ["train", "squeezenet1_1"], ["train", "mean_spot"], ["describe", "mobilenet_v2", "--stages", "2"],
    ["describe", "googlenet", "--zero-init"], ["describe", "resnet20", "--expansion", "2"],
    ["describe", "xception", "--input", "3x2x2"], ["bench", "--model", "mean_spot", "--input", "3x9x9"],
  ]) func misuseIsRefused(_ arguments: [String]) throws {
    let outcome = try Experiment.run(
      arguments + (arguments[0] == "run" ? ["--output", path("none")] : []))
    #expect(outcome.status == 1, "\(arguments)")
    #expect(outcome.error.hasPrefix("Error: ") && outcome.error.count { $0 == "\n" } == 1, "\(outcome.error)")
    #expect(!FileManager.default.fileExists(atPath: path("none")))
  }

  /// A depthwise 3×3 in place of the shifts has 9 · 3 · (48 + 96 + 192) weights.
  @Test func aModelsOwnKernelIsUsed() throws {
    for (arguments, total) in [
      (["shiftresnet20"], "95,642"), (["shiftresnet20", "--expansion", "6"], "186,746"),
      (["addernet_resnet20"], "272,484"), (["addernet_resnet20", "--conv", "standard"], "272,484"),
      (["shiftresnet20", "--conv", "depthwise"], "104,714"),
    ] {
      let outcome = try Experiment.run(["describe"] + arguments)
      #expect(outcome.output.contains(" \(total) "), "\(arguments): \(outcome.error)")
    }
    let bench = try Experiment.run(["bench", "--model", "addernet_resnet20", "--seconds", "0.05"])
    #expect(bench.output.contains("  adder  "))
  }

  /// Logits for each pixel, of the image's size.
  @Test func segmentationGivesImages() throws {
    var random = Random(seed: 1)
    try NpyFile.write(Tensor(normal: [1, 3, 20, 33], using: &random), to: path("x.npy"))
    // Weights that fit nowhere but in the stem, which is enough for a partial loading.
    try SafetensorsFile.write(
      [("backbone.bn1.bias", [64], { Tensor(repeating: 0, [64]) })], metadata: [:], to: path("w.safetensors"))
    let outcome = try Experiment.run([
      "logits", "deeplabv3_resnet50", "--weights", path("w.safetensors"), "--partial", "--classes", "4",
      "--input",
      path("x.npy"), "--output", path("y.npy"),
    ])
    #expect(outcome.status == 0, "\(outcome.error.prefix(300))")
    #expect(try NpyFile.read(path("y.npy")).shape == [1, 4, 20, 33])
  }
}
