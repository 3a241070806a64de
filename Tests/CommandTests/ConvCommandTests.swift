import Foundation
import Tensors
import Testing

/// The command as a user runs it: exit codes, messages, files.
@Suite(.serialized) struct ConvCommandTests {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("conv-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var random = Random(seed: 1)
    for (name, shape) in [
      ("x", [1, 4, 5, 6]), ("w", [3, 4, 3, 3]), ("b", [3]), ("g", [1, 3, 5, 6]), ("o", [1, 18, 5, 6]),
      ("flat", [4]),
      ("empty", [0, 4, 5, 6]),
    ] {
      try NpyFile.write(Tensor(normal: shape, using: &random), to: path(name))
    }
    try Data("not an array".utf8).write(to: URL(fileURLWithPath: path("broken")))
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent("\(name).npy").path }

  private func conv(_ arguments: String) throws -> Experiment.Outcome {
    let words = arguments.split(separator: " ").map { word in
      word.hasSuffix(".npy") ? folder.appendingPathComponent(String(word)).path : String(word)
    }
    return try Experiment.run(["conv"] + words)
  }

  /// The limit of a file's size is an error like a full disk: a sentence, and nothing left behind.
  @Test func aFileBeyondTheUsersLimitIsAnError() throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let command = [
      "conv", "--conv", "standard", "--input", path("x"), "--weight", path("w"), "--output", path("y"),
    ]
    // The outputs go through a pipe, which has no limit.
    let outcome = try Experiment.run(
      URL(fileURLWithPath: "/bin/sh"),
      ["-c", "{ (ulimit -f 0; \"$@\") 2>&1; echo \"status $?\"; } | cat", "sh", Experiment.executable.path]
        + command)
    #expect(
      outcome.output.hasPrefix("Error: \(path("y")) cannot be written: File too large."), "\(outcome.output)")
    #expect(outcome.output.hasSuffix("\nstatus 1\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == before)
  }

  /// So is a limit of memory: the weights of ResNet-50 and their packed copies take more.
  @Test func memoryThatIsNotThereIsAnError() throws {
    let outcome = try Experiment.run(
      URL(fileURLWithPath: "/bin/sh"),
      ["-c", "ulimit -v 300000; exec \"$@\"", "sh", Experiment.executable.path, "bench", "resnet50"]
        + ["--threads", "1", "--seconds", "0.1"])
    #expect(outcome.status == 1)
    #expect(outcome.error.hasPrefix("Error: There is no memory left for an array of "), "\(outcome.error)")
    #expect(outcome.error.count { $0.isNewline } == 1, "\(outcome.error)")
  }

  /// The window is that of the weight's array; only weights by name need it.
  @Test func aWindowNeedsNamedWeights() throws {
    let outcome = try conv(
      "--conv standard --input x.npy --weight w.npy --window 5 --output y.npy")
    #expect(outcome.status == 64 && outcome.error.contains("leave out --window"), "\(outcome.error)")
  }

  /// Kernels for several stages are no operator, so nothing of them is checked.
  @Test func joinedKernelsAreNotChecked() throws {
    let outcome = try Experiment.run(["check", "--conv", "shift+standard"])
    #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome.output)")
    #expect(outcome.error.count { $0.isNewline } == 1, "\(outcome.error)")
  }

  /// Several outputs are all written or none, and finished files stay.
  @Test func outputsAreWrittenTogether() throws {
    try Data("finished".utf8).write(to: URL(fileURLWithPath: path("y")))
    let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    for gradient in ["nowhere/gx", "x.npy/gx"] {
      let outcome = try conv(
        "--conv standard --input x.npy --weight w.npy --padding 1 --grad-output g.npy --output y.npy "
          + "--grad-input \(folder.path)/\(gradient)")
      #expect(outcome.status == 1 && outcome.error.contains(gradient), "\(outcome.error)")
      #expect(try String(contentsOfFile: path("y"), encoding: .utf8) == "finished")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == before)
    }
  }

  /// A link, dangling or not, is no second file.
  @Test func outputsThatAreTheSameFileAreRefused() throws {
    let link = path("link")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "y.npy")
    for (output, gradient) in [("y.npy", "link.npy"), ("link.npy", "y.npy"), ("y.npy", "y.npy")] {
      let outcome = try conv(
        "--conv standard --input x.npy --weight w.npy --padding 1 --grad-output g.npy --output \(output) "
          + "--grad-input \(gradient)")
      #expect(outcome.status == 64, "\(outcome.error)")
      #expect(
        outcome.error.hasPrefix("Error: --output and --grad-input go to the same file, "), "\(outcome.error)")
      #expect(!FileManager.default.fileExists(atPath: path("y")))
    }
  }

  @Test func writesAllGradients() throws {
    let outcome = try conv(
      "--conv standard --input x.npy --weight w.npy --bias b.npy --padding 1 --output y.npy --grad-output g.npy "
        + "--grad-input gx.npy --grad-weight gw.npy --grad-bias gb.npy")
    #expect(outcome.status == 0, "\(outcome.error)")
    for (name, shape) in [("y", [1, 3, 5, 6]), ("gx", [1, 4, 5, 6]), ("gw", [3, 4, 3, 3]), ("gb", [3])] {
      #expect(try NpyFile.read(path(name)).shape == shape)
    }
  }

  /// A composed kernel takes its weights by name: the same as its two layers, one after the other.
  @Test func composedKernelsTakeWeightsByName() throws {
    var random = Random(seed: 2)
    let depthwise = Tensor(normal: [4, 1, 3, 3], using: &random),
      pointwise = Tensor(normal: [3, 4, 1, 1], using: &random)
    try NpyFile.write(depthwise, to: path("dw"))
    try NpyFile.write(pointwise, to: path("pw"))
    let weights = folder.appendingPathComponent("net.safetensors").path
    let gradients = folder.appendingPathComponent("gradients.safetensors").path
    try SafetensorsFile.write(
      [
        ("depthwise.weight", [4, 1, 3, 3], { depthwise }), ("pointwise.weight", [3, 4, 1, 1], { pointwise }),
      ], to: weights)
    let whole = try conv(
      "--conv depthwise-separable --input x.npy --weights \(weights) --channels 3 --output y.npy "
        + "--grad-output g.npy --grad-input gx.npy --grad-weights \(gradients)")
    #expect(whole.status == 0, "\(whole.error)")
    for arguments in [
      "--conv depthwise --input x.npy --weight dw.npy --padding 1 --output m.npy",
      "--conv 1x1 --input m.npy --weight pw.npy --output z.npy --grad-output g.npy --grad-input gm.npy --grad-weight gp.npy",
      "--conv depthwise --input x.npy --weight dw.npy --padding 1 --output m.npy --grad-output gm.npy "
        + "--grad-input gz.npy --grad-weight gd.npy",
    ] {
      let outcome = try conv(arguments)
      #expect(outcome.status == 0, "\(outcome.error)")
    }
    func expectEqual(_ a: Tensor, _ b: Tensor) {
      #expect(a.shape == b.shape && zip(a.values, b.values).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    try expectEqual(NpyFile.read(path("y")).tensor(), NpyFile.read(path("z")).tensor())
    try expectEqual(NpyFile.read(path("gx")).tensor(), NpyFile.read(path("gz")).tensor())
    var file = try SafetensorsFile(gradients)
    #expect(file.entries.map(\.name) == ["depthwise.weight", "pointwise.weight"])
    try expectEqual(file.read(), NpyFile.read(path("gd")).tensor())
    try expectEqual(file.read(), NpyFile.read(path("gp")).tensor())
  }

  /// What one sentence asks for, no other forbids.
  @Test(arguments: ["depthwise-separable", "cbam", "non-local"])
  func composedKernelsAreNotAskedForOneWeight(_ kernel: String) throws {
    for weight in ["", " --weight w.npy"] {
      let outcome = try conv("--conv \(kernel) --input x.npy\(weight) --output y.npy")
      #expect(
        outcome.status == 1 && outcome.error.contains("give them by name with --weights"), "\(outcome.error)")
    }
    let both = try conv("--conv \(kernel) --input x.npy --weight w.npy --weights w --output y.npy")
    #expect(both.status == 64)
  }

  /// Each is refused with one sentence and a status, and leaves no file.
  @Test(arguments: [
    ("--conv standard --input missing.npy --weight w.npy --output y.npy", 1),
    ("--conv standard --input broken.npy --weight w.npy --output y.npy", 1),
    ("--conv standard --input flat.npy --weight w.npy --output y.npy", 1),
    ("--conv standard --input empty.npy --weight w.npy --output y.npy", 1),
    ("--conv standard --input x.npy --output y.npy", 1),
    ("--conv nothing --input x.npy --weight w.npy --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --bias flat.npy --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --groups 3 --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --groups 2 --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --dilation 9 --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --padding 1048576 --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --padding 99999999999999999999 --output y.npy", 64),
    ("--conv standard --input x.npy --weight w.npy --stride 0 --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --stride -1 --output y.npy", 64),
    ("--conv standard --input x.npy --weight w.npy --algorithm magic --output y.npy", 1),
    ("--conv adder --input x.npy --weight w.npy --algorithm fft --output y.npy", 1),
    ("--conv standard:dilation=2 --input x.npy --weight w.npy --dilation 2 --output y.npy", 1),
    ("--conv 1x1 --input x.npy --weight w.npy --output y.npy", 1),
    ("--conv fft:dilation=1000 --input x.npy --weight w.npy --padding 1000 --output y.npy", 1),
    ("--conv deformable:groups=2 --input x.npy --weight w.npy --offset o.npy --padding 1 --output y.npy", 1),
    ("--conv shift --input x.npy --groups 2 --output y.npy", 1),
    ("--conv shift --input x.npy --bias b.npy --output y.npy", 1),
    ("--conv shift --input x.npy --padding 2 --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --offset o.npy --output y.npy", 1),
    ("--conv deformable --input x.npy --weight w.npy --output y.npy", 1),
    ("--conv deformable --input x.npy --weight w.npy --offset o.npy --output y.npy", 1),
    ("--conv deformable-v2 --input x.npy --weight w.npy --offset o.npy --padding 1 --output y.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --output y.npy --grad-input gx.npy", 64),
    (
      "--conv standard --input x.npy --weight w.npy --output y.npy --grad-output g.npy --grad-input gx.npy", 1
    ),
    ("--conv shift --input x.npy --output y.npy --grad-output x.npy --grad-weight gw.npy", 1),
    ("--conv standard --input x.npy --weight w.npy --padding 1 --output none/y.npy", 1),
    ("--input x.npy --output y.npy", 64),
  ]) func wrongInputIsRefused(_ arguments: String, _ status: Int32) throws {
    let before = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    let outcome = try conv(arguments)
    #expect(outcome.status == status, "\(arguments): \(outcome.error)")
    #expect(outcome.error.hasPrefix("Error: "), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == before)
  }
}
