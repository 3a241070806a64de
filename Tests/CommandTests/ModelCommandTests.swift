import Foundation
import Tensors
import TestSupport
import Testing

/// `experiment describe`, `train` and `logits` as a user runs them.
struct ModelCommandTests {
  private let folder = TemporaryFolder()

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
  private func contents(_ name: String) -> Data? { FileManager.default.contents(atPath: path(name)) }

  @Test func describesAModel() throws {
    let csv = path("layers.csv")
    let outcome = try Experiment.run([
      "describe", "resnet50", "--conv", "deformable", "--stages", "2,3,4", "--csv", csv,
    ])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.output.contains("26,137,874"))
    #expect(outcome.output.contains("layer1.1  56×56   256    64   256     69,632     589,824"))
    let lines = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n")
    #expect(lines.first == "layer,type,kernel,output,params,macs,adds,other_ops")
    #expect(lines.contains { $0.hasPrefix("layer2.0.conv2,DeformConv2d,deformable,128x28x28,") })
    #expect(lines.contains { $0.hasPrefix("layer1.0.conv2,Conv2d,standard,64x56x56,36864,115605504,0,0") })
    #expect(lines.last?.hasPrefix("total,,,,26137874,") == true)
  }

  @Test func refusesWhatAModelDoesNotHave() throws {
    for arguments in [
      ["resnet9"], ["resnet20", "--stages", "4"], ["resnet18", "--stride-on", "first"],
      ["resnet20", "--conv", "adder", "--offset-groups", "2"],
      ["resnet20", "--conv", "1x1", "--dilation", "2"],
    ] {
      let outcome = try Experiment.run(["describe"] + arguments)
      #expect(outcome.status == 1, "\(arguments)")
      #expect(outcome.error.hasPrefix("Error: ") && outcome.error.count { $0 == "\n" } == 1)
    }
  }

  /// Stopped after some steps and resumed by another process, with another number of threads: the same files.
  @Test func resumesBitForBit() throws {
    let options = [
      "resnet20", "--conv", "dilated", "--data", "synthetic", "--epochs", "2", "--optimizer", "adamw",
      "--seed", "5",
    ]
    func train(_ name: String, _ more: [String]) throws -> Experiment.Outcome {
      try Experiment.run(
        ["train"] + options + ["--save", path("\(name).safetensors"), "--log", path("\(name).csv")] + more)
    }
    #expect(try train("whole", []).status == 0)
    #expect(try train("parts", ["--steps", "7", "--threads", "1"]).status == 0)
    let second = try train("parts", ["--resume", path("parts.safetensors"), "--threads", "3"])
    #expect(second.status == 0, "\(second.error)")
    for suffix in ["safetensors", "resume.safetensors", "csv"] {
      #expect(contents("whole.\(suffix)") != nil)
      #expect(contents("whole.\(suffix)") == contents("parts.\(suffix)"), "\(suffix)")
    }
    let other = try Experiment.run(
      ["train"] + options.dropLast() + ["6", "--resume", path("whole.resume.safetensors")])
    #expect(other.status == 1 && other.error.contains("seed 5, not 6"), "\(other.error)")
  }

  /// A file that was tampered with is refused with a sentence, without a trap.
  @Test func tamperedTrainingIsRefused() throws {
    let options = ["train", "resnet20", "--data", "synthetic", "--epochs", "2", "--optimizer", "adam"]
    #expect(try Experiment.run(options + ["--steps", "3", "--save", path("net.safetensors")]).status == 0)
    let whole = try #require(contents("net.resume.safetensors"))
    for (from, to) in [
      (#"\"epoch\":0"#, #"\"epoch\":9"#), (#"\"step\":3"#, #"\"step\":-"#), (#"\"step\":3"#, #"\"step\":0"#),
      ("optimizer.steps.bn1.bias", "optimizer.mean1.bn1.bias"), ("bn1.running_mean", "bn1.running_meen"),
      (#""shape":[1]"#, #""shape":[2]"#),
    ] {
      var changed = whole
      let range = try #require(changed.range(of: Data(from.utf8)), "\(from)")
      changed.replaceSubrange(range, with: Data(to.utf8))
      try changed.write(to: folder.appendingPathComponent("changed.resume.safetensors"))
      let outcome = try Experiment.run(options + ["--resume", path("changed.resume.safetensors")])
      #expect(outcome.status == 1 && outcome.error.hasPrefix("Error: "), "\(to): \(outcome.error)")
    }
    let short = try Experiment.run(options + ["--save", path("a.csv"), "--log", path("a.csv")])
    #expect(short.status == 64)
  }

  /// A log is finished work like the weights.
  @Test func aLogIsNotOverwritten() throws {
    try "mine".write(toFile: path("log.csv"), atomically: true, encoding: .utf8)
    let command = ["train", "--data", "synthetic", "--steps", "1", "--log", path("log.csv")]
    let refused = try Experiment.run(command)
    #expect(refused.status == 1 && refused.error.contains("log.csv exists; overwrite it with --force"))
    #expect(contents("log.csv") == Data("mine".utf8))
    let forced = try Experiment.run(command + ["--force"])
    #expect(forced.status == 0 && contents("log.csv") != Data("mine".utf8), "\(forced.error)")
  }

  @Test func stoppedTrainingIsKept() throws {
    let training = try Experiment.start([
      "train", "resnet110", "--epochs", "1000", "--save", path("net.safetensors"), "--log", path("net.csv"),
    ])
    let process = training.process
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    let deadline = ContinuousClock.now + .seconds(60)
    while contents("net.csv") == nil, process.isRunning, ContinuousClock.now < deadline { usleep(50_000) }
    process.interrupt()
    let outcome = try training.outcome(), text = outcome.error
    #expect(outcome.status == 130, "\(text)")
    let lines = try String(contentsOfFile: path("net.csv"), encoding: .utf8).split(separator: "\n").count
    // The command that it prints resumes it.
    let command = try #require(text.split(separator: "resume it with: ").last).split(separator: " ").map {
      $0.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    #expect(command.suffix(2) == ["--resume", path("net.resume.safetensors")])
    let resumed = try Experiment.run(command.dropFirst() + ["--steps", "\(lines)"])
    #expect(resumed.status == 0, "\(resumed.error)")
    #expect(
      try String(contentsOfFile: path("net.csv"), encoding: .utf8).split(separator: "\n").count == lines + 1)
  }

  /// A network with another head and another kernel takes what fits, and says what does not.
  @Test func weightsMoveBetweenNetworks() throws {
    let weights = path("a.safetensors"), images = path("x.npy"), logits = path("y.npy")
    #expect(
      try Experiment.run(["train", "resnet20", "--data", "synthetic", "--epochs", "1", "--save", weights])
        .status == 0)
    var random = Random(seed: 1)
    let channels = try Int(
      #require(SafetensorsFile(weights).entries.first { $0.name == "conv1.weight" }).shape[1])
    try NpyFile.write(Tensor(normal: [3, channels, 9, 7], using: &random), to: images)
    let outcome = try Experiment.run([
      "logits", "resnet20", "--weights", weights, "--input", images, "--output", logits,
    ])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(try NpyFile.read(logits).shape[0] == 3)

    let other = [
      "logits", "resnet20", "--conv", "deformable", "--classes", "7", "--input", images, "--output",
      path("z.npy"),
    ]
    let strict = try Experiment.run(other + ["--weights", weights])
    #expect(strict.status == 1 && strict.error.contains("--conv standard, 10 classes"), "\(strict.error)")
    #expect(contents("z.npy") == nil)
    let partial = try Experiment.run(other + ["--weights", weights, "--partial"])
    #expect(partial.status == 0 && partial.error.contains("missing: layer1.0.conv1.offset.weight"))
    #expect(partial.error.contains("was saved for --conv standard, 10 classes"))
    // Of a file that does not say what it is of, the names speak: the first five of each kind.
    try withoutMetadata(weights, to: path("foreign.safetensors"))
    let foreign = try Experiment.run(other + ["--weights", path("foreign.safetensors")])
    #expect(
      foreign.status == 1 && foreign.error.contains("and 31 more; of another shape or type: fc.weight ("))
    #expect(foreign.error.contains("layer1.0.conv1.offset.weight") && foreign.error.count < 1000)
    #expect(try NpyFile.read(path("z.npy")).shape == [3, 7])
  }

  @Test func frozenParametersStay() throws {
    for (name, more) in [("a", ["--steps", "1"]), ("b", ["--steps", "9"])] {
      let outcome = try Experiment.run(
        [
          "train", "resnet20", "--data", "synthetic", "--epochs", "2", "--freeze", "conv1,layer1", "--save",
          path("\(name).safetensors"),
        ] + more)
      #expect(outcome.status == 0, "\(outcome.error)")
    }
    func values(_ file: String, _ wanted: String) throws -> Tensor? {
      var read = try SafetensorsFile(path(file))
      for index in read.entries.indices {
        if read.entries[index].name == wanted { return try read.read() }
        try read.skip()
      }
      return nil
    }
    for name in ["conv1.weight", "layer1.2.bn2.weight"] {
      #expect(try values("a.safetensors", name) == values("b.safetensors", name))
    }
    #expect(
      try values("a.safetensors", "layer2.0.conv1.weight") != values("b.safetensors", "layer2.0.conv1.weight")
    )
    let wrong = try Experiment.run(["train", "resnet20", "--freeze", "layer9"])
    #expect(wrong.status == 1 && wrong.error.contains("layer9"))
  }
}
