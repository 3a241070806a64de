import Foundation
import Tensors
import TestSupport
import Testing

/// The tensors of a file alone, as one from elsewhere has them.
func withoutMetadata(_ path: String, metadata: [String: String] = [:], to copy: String) throws {
  var file = try SafetensorsFile(path), tensors: [(name: String, shape: [Int], values: () -> Tensor)] = []
  for entry in file.entries {
    let tensor = try file.read()
    tensors.append((entry.name, entry.shape, { tensor }))
  }
  try SafetensorsFile.write(tensors, metadata: metadata, to: copy)
}

/// Files of weights say what network they are of, and other networks do not take them in silence.
struct WeightsCommandTests {
  private let folder = TemporaryFolder()

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  private func train(_ arguments: String, save: String) throws {
    let outcome = try Experiment.run(
      ["train"] + arguments.split(separator: " ").map(String.init) + ["--steps", "1", "--save", path(save)])
    try #require(outcome.status == 0, "\(outcome.error)")
  }

  private func logits(_ arguments: String, weights: String) throws -> (Experiment.Outcome, Tensor?) {
    let output = path("logits-\(UUID()).npy")
    let outcome = try Experiment.run(
      ["logits"] + arguments.split(separator: " ").map(String.init) + [
        "--weights", path(weights), "--input", path("x.npy"), "--output", output,
      ])
    return (outcome, try? NpyFile.read(output).tensor())
  }

  private func writeImages(channels: Int = 1, extent: Int = 8) throws {
    var random = Random(seed: 1)
    try NpyFile.write(Tensor(normal: [2, channels, extent, extent], using: &random), to: path("x.npy"))
  }

  /// `dilated`, `adder` and `fft` have weights of the same names and shapes as `standard`.
  @Test func anotherKernelsWeightsAreRefused() throws {
    try train("resnet20 --conv dilated", save: "net.safetensors")
    try writeImages()
    let (own, wanted) = try logits("resnet20 --conv dilated", weights: "net.safetensors")
    #expect(own.status == 0 && own.error.isEmpty && wanted != nil, "\(own.error)")
    for conv in ["standard", "adder", "fft", "dilated:dilation=3"] {
      let (outcome, found) = try logits("resnet20 --conv \(conv)", weights: "net.safetensors")
      #expect(outcome.status == 1 && found == nil, "\(conv)")
      #expect(
        outcome.error
          == "Error: \(path("net.safetensors")) was saved for --conv dilated; use the same, or --partial to load what fits.\n"
      )
    }
    // The same operator by other words.
    for same in ["--conv dilated:dilation=2", "--conv dilated --dilation 2x2 --stages 1,2,3"] {
      let (outcome, found) = try logits("resnet20 \(same)", weights: "net.safetensors")
      #expect(outcome.status == 0 && found == wanted, "\(same): \(outcome.error)")
    }
    let (partial, other) = try logits("resnet20 --partial", weights: "net.safetensors")
    #expect(partial.status == 0 && partial.error.contains("was saved for --conv dilated."))
    #expect(other != nil && other != wanted)
    // A file from elsewhere does not say what it is of.
    try withoutMetadata(path("net.safetensors"), to: path("foreign.safetensors"))
    let (foreign, logits) = try logits("resnet20", weights: "foreign.safetensors")
    #expect(foreign.status == 0 && foreign.error.isEmpty && logits == other)
  }

  /// Options that leave names and shapes as they are: the words that fit are in the sentence.
  @Test(arguments: [
    ("resnet20 --conv dilated --stages 2,3", "resnet20 --conv dilated", "--stages 2,3"),
    ("resnet20 --conv dilated", "resnet20 --conv dilated --stages 2,3", "no --stages"),
    ("bottleneck20 --replace all --conv adder", "bottleneck20 --conv adder", "--replace all"),
    ("bottleneck20 --stride-on first", "bottleneck20", "--stride-on first"),
    ("bottleneck20 --dilate-stages 3", "bottleneck20", "--dilate-stages 3"),
    ("resnet20", "resnet20 --shortcut none --conv fft", "--conv standard --shortcut padding"),
    ("resnet20", "resnet32", "resnet20"),
  ]) func anotherNetworksWeightsAreRefused(_ saved: String, _ now: String, _ fits: String) throws {
    try train(saved, save: "net.safetensors")
    try writeImages()
    let (outcome, _) = try logits(now, weights: "net.safetensors")
    #expect(outcome.status == 1)
    #expect(outcome.error.contains(" was saved for \(fits); use the same"), "\(outcome.error)")
    #expect(try logits(saved, weights: "net.safetensors").0.status == 0)
  }

  /// Every command that reads weights refuses them.
  @Test func everyCommandRefuses() throws {
    try train("bottleneck20 --conv deformable", save: "net.safetensors")
    let weights = ["--weights", path("net.safetensors")]
    for arguments in [
      ["train", "bottleneck20", "--conv", "deformable:combine=adder", "--steps", "1"],
      ["offsets", "bottleneck20", "--conv", "deformable:combine=adder", "--csv", path("offsets.csv")],
      ["proxies", "bottleneck20", "--conv", "deformable:combine=adder", "--batch", "4"],
    ] {
      let outcome = try Experiment.run(arguments + weights)
      #expect(outcome.status == 1, "\(arguments)")
      #expect(outcome.error.contains("was saved for --conv deformable; use the same"), "\(outcome.error)")
      #expect(outcome.error.contains("--partial") == (arguments[0] == "train"))
      let right = try Experiment.run(
        arguments.map { $0 == "deformable:combine=adder" ? "deformable" : $0 } + weights)
      #expect(right.status == 0, "\(arguments): \(right.error)")
    }
  }

  /// Twenty images in three classes, as the user's own arrays.
  private func writeData(_ shape: [Int]) throws {
    var random = Random(seed: 3)
    var header = "{'descr': '|u1', 'fortran_order': False, 'shape': (20,), }"
    header += String(repeating: " ", count: 127 - 10 - header.utf8.count) + "\n"
    let labels = Data([0x93] + "NUMPY".utf8 + [1, 0, 118, 0] + header.utf8 + (0..<20).map { UInt8($0 % 3) })
    for split in ["train", "test"] {
      try NpyFile.write(Tensor(normal: [20] + shape, using: &random), to: path("\(split)_images.npy"))
      try labels.write(to: URL(fileURLWithPath: path("\(split)_labels.npy")))
    }
  }

  /// Other classes are what transfer learning is about: `--partial` takes what fits, and says so.
  @Test func transferLearningStaysPossible() throws {
    try train("resnet20", save: "net.safetensors")
    try writeData([1, 16, 16])
    let arguments = [
      "train", "resnet20", "--conv", "dilated", "--data", "npy:\(folder.path)", "--steps", "1", "--weights",
      path("net.safetensors"),
    ]
    let strict = try Experiment.run(arguments)
    #expect(
      strict.status == 1 && strict.error.contains("--conv standard, 10 classes; use the same, or --partial"))
    let partial = try Experiment.run(arguments + ["--partial", "--freeze", "conv1"])
    #expect(
      partial.status == 0 && partial.error.contains("of another shape or type: fc.weight ("),
      "\(partial.error)")
  }

  /// Arrays whose channels come last are read as something else, which is said.
  @Test func channelsThatComeLastAreNoticed() throws {
    try writeData([16, 12, 3])
    let arguments = ["train", "resnet20", "--data", "npy:\(folder.path)", "--steps", "1"]
    let outcome = try Experiment.run(arguments)
    #expect(outcome.status == 0 && outcome.output.contains("×16×12×3 images (N×C×H×W), 3 classes"))
    #expect(outcome.error.contains("array.transpose(0, 3, 1, 2)"), "\(outcome.error)")
    try writeData([3, 16, 12])
    #expect(try Experiment.run(arguments).error.isEmpty)
  }

  /// What a file says, in text; a form that a later version may have is refused.
  @Test func filesSayWhatTheyAreOf() throws {
    try train(
      "resnet20 --conv cbam:reduction=16:window=3:around=adder --replace all", save: "net.safetensors")
    let metadata = try SafetensorsFile(path("net.safetensors")).metadata
    #expect(metadata["workbench"] == workbenchVersion && metadata["workbench_format"] == "1")
    #expect(metadata["model"] == "resnet20" && metadata["conv"] == "cbam:window=3:around=adder")
    #expect(metadata["replace"] == "all" && metadata["stages"] == "" && metadata["shortcut"] == "padding")
    #expect(metadata["classes"] == "10" && metadata["channels"] == "1" && metadata["input"] == "1x8x8")
    #expect(metadata["data"] == "digits")
    #expect(["mean", "deviation"].allSatisfy { Float(metadata[$0] ?? "") != nil })
    try writeImages()
    try withoutMetadata(
      path("net.safetensors"), metadata: ["workbench_format": "2", "workbench": "9.0"],
      to: path("later.safetensors"))
    let (outcome, _) = try logits("resnet20", weights: "later.safetensors")
    #expect(outcome.status == 1 && outcome.error.contains("version 9.0"), "\(outcome.error)")
  }

  /// Images that are normalised otherwise than those of the training are worth a sentence.
  @Test func otherNormalisationIsSaid() throws {
    try train("bottleneck20 --conv active", save: "net.safetensors")
    func offsets(_ metadata: [String: String], _ name: String) throws -> Experiment.Outcome {
      try withoutMetadata(path("net.safetensors"), metadata: metadata, to: path(name))
      return try Experiment.run([
        "offsets", "bottleneck20", "--conv", "active", "--weights", path(name), "--csv", path("o.csv"),
      ])
    }
    var metadata = try SafetensorsFile(path("net.safetensors")).metadata
    #expect(try offsets(metadata, "same.safetensors").error.isEmpty)
    metadata["mean"] = "0.5"
    let outcome = try offsets(metadata, "other.safetensors")
    #expect(outcome.status == 0 && outcome.error.contains("normalised by mean 0.5"), "\(outcome.error)")
  }

  /// A training is not lost by a slip.
  @Test func trainingsAreNotOverwritten() throws {
    let save = ["train", "resnet20", "--epochs", "1", "--save", path("net.safetensors")]
    let first = try Experiment.run(save + ["--steps", "3"])
    #expect(first.status == 0)
    // What was read, and what came of it.
    #expect(first.output.hasPrefix("resnet20 with standard: 269,434 parameters\ndigits: "), "\(first.output)")
    #expect(
      first.output.contains(
        "training 1157×1×8×8, validation 258×1×8×8, test 382×1×8×8 images (N×C×H×W), 10 classes\nseed 0, "))
    #expect(first.output.contains("The test split is used after the last epoch, so not yet."))
    #expect(first.output.contains("Stopped after step 3: loss "))
    #expect(first.output.contains(" % in this epoch so far"))
    let files = ["net.safetensors", "net.resume.safetensors"]
    let before = files.map { FileManager.default.contents(atPath: path($0)) }
    let again = try Experiment.run(save)
    #expect(
      again.status == 1
        && again.error.contains("--resume \(path("net.safetensors")), overwrite it with --force"))
    let elsewhere = try Experiment.run(save + ["--resume", path("other.safetensors")])
    #expect(elsewhere.status == 1)
    #expect(before == files.map { FileManager.default.contents(atPath: path($0)) })
    // The printed command resumes it.
    let command = try #require(first.output.split(separator: "resume it with: ").last).split(separator: " ")
      .map {
        $0.trimmingCharacters(in: .whitespacesAndNewlines)
      }
    #expect(!command.contains("--steps"))
    let resumed = try Experiment.run(Array(command.dropFirst()))
    #expect(resumed.status == 0 && !resumed.output.contains("resume it with"), "\(resumed.error)")
    #expect(try Experiment.run(save + ["--steps", "1", "--force"]).status == 0)
    // Weights without a training's state are finished work too.
    try FileManager.default.removeItem(atPath: path("net.resume.safetensors"))
    let weights = try Experiment.run(save)
    #expect(weights.status == 1 && weights.error.contains("--force") && !exists("net.resume.safetensors"))
  }
}
