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
