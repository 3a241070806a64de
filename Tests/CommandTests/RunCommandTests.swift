import Foundation
import Kernels
import Tensors
import Testing

/// `experiment run` and `list` as a user runs them.
@Suite(.serialized) struct RunCommandTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("run-\(UUID().uuidString)")

  private func lines(_ name: String) throws -> [String] {
    try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8).split(separator: "\n").map(
      String.init)
  }

  /// The tables, as bytes.
  private func tables() throws -> [Data] {
    try ["operators", "networks", "training"].map {
      try Data(contentsOf: folder.appendingPathComponent("\($0).csv"))
    }
  }

  /// Starts the command, waits until a file is in its records, and presses Ctrl-C.
  private func interrupted(_ arguments: [String]) throws -> String {
    let started = try Experiment.start(arguments + ["--output", folder.path])
    started.interrupt(after: 1, recordsIn: folder.appendingPathComponent("records").path)
    let outcome = try started.outcome()
    #expect(outcome.status == 130, "\(outcome.error)")
    return outcome.error
  }

  @Test func writesTheTables() throws {
    let arguments = ["--conv", "adder:dilation=2", "--data", "synthetic", "--epochs", "1", "--seeds", "2"]
    let outcome = try Experiment.run(arguments + ["--output", folder.path])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.error.isEmpty, "progress is for terminals: \(outcome.error)")
    #expect(outcome.output.contains("adder:dilation=2"))
    let operators = try lines("operators.csv")
    #expect(
      operators[0].hasPrefix(
        "kernel,algorithm,pass,problem,batch,c_in,c_out,h,w,kh,kw,stride,padding,dilation,groups,threads,params,macs"
      ))
    // Each kernel on four shapes in two passes, by some of its algorithms, each once.
    let rows = operators.dropFirst().map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(Set(rows.map { $0.prefix(4) }).count == rows.count)
    for item in ["standard", "adder:dilation=2"] {
      let own = rows.filter { $0[0] == item },
        known = try KernelRegistry.builtIn.choice(item).kernel.algorithms
      #expect(
        Set(own.map { $0[2...3] }).count == 4 * 2 && own.allSatisfy { known.contains($0[1]) }, "\(item)")
      #expect(Set(own.map { $0[1] }).count > 1, "\(item)")
    }
    #expect(try lines("networks.csv").count == 3)
    #expect(try lines("training.csv").count == 1 + 2 * 2)
    #expect(try lines("machine.json").joined().contains("instruction_set"))

    // The same again: nothing to do, the same table. Another experiment: refused. Another kernel, stopped in the
    // middle: the tables stay until they can be replaced by larger ones.
    let whole = try tables()
    let again = try Experiment.run(arguments + ["--output", folder.path])
    #expect(again.status == 0 && again.error.isEmpty && again.output == outcome.output)
    let other = try Experiment.run(["--conv", "shift", "--epochs", "2", "--output", folder.path])
    #expect(other.status == 1 && other.error.split(separator: "\n").count == 1, "\(other.error)")
    #expect(other.error.contains("--force") && other.error.contains("--output"))
    let stopped = try interrupted(["--conv", "shift"] + arguments.dropFirst(2))
    #expect(stopped.contains("were not changed") && stopped.contains("the same command resumes."))
    #expect(try tables() == whole)
    let rerun = try Experiment.run(arguments + ["--rerun", "dilated", "--output", folder.path])
    #expect(rerun.status == 1 && rerun.error.contains("‘dilated’"))
  }

  @Test func interruptionLeavesWhatIsFinished() throws {
    let text = try interrupted(["--conv", "shift", "--epochs", "1000"])
    #expect(text.hasPrefix("Stopped: ") && text.contains("the same command resumes."), "\(text)")
    #expect(text.split(separator: "\n").count == 1)
    #expect(try lines("operators.csv").count > 1)
    // A training that had begun is kept, too.
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .filter { $0 != "checkpoints" }
    #expect(files == ["machine.json", "networks.csv", "operators.csv", "records", "training.csv"])
  }

  /// Two at once in one folder do not both succeed.
  @Test func aFolderHasOneWriter() throws {
    let process = try Experiment.start([
      "--conv", "shift", "--epochs", "1000", "--output", folder.path,
    ]).process
    while process.isRunning, !FileManager.default.fileExists(atPath: folder.path + "/machine.json") {
      Thread.sleep(forTimeInterval: 0.05)
    }
    let second = try Experiment.run(["--conv", "adder", "--epochs", "0", "--output", folder.path])
    #expect(
      second.status == 1 && second.error.contains("Another run or sweep is writing to"), "\(second.error)")
    process.interrupt()
    process.waitUntilExit()
  }

  /// The arguments, and the status that refuses them.
  static let wrong: [(String, Int32)] = [
    ("--conv nothing", 1), ("--conv dilated --data cifar10:/nowhere", 1), ("--conv dilated --data mnist", 1),
    ("--conv dilated --model vgg", 1), ("--conv dilated --epochs -1", 64), ("--conv dilated --seeds 0", 64),
    ("--conv dilated --replace some", 64), ("--conv ,", 1), ("run", 64), ("--convolution dilated", 64),
    ("lst", 64), ("bottleneck20 --conv dilated", 64),
    ("run bottleneck20 --conv dilated --model bottleneck20", 64), ("run vgg --conv dilated", 1),
    ("--conv dilated --output /dev/null/x", 1), ("--conv dilated --output /proc", 1),
  ]

  @Test(arguments: wrong) func wrongInputIsRefused(_ text: String, _ status: Int32) throws {
    let arguments = text.split(separator: " ").map(String.init)
    let hasOutput = text.contains("--output") || text == "run"
    let outcome = try Experiment.run(arguments + (hasOutput ? [] : ["--output", folder.path]))
    #expect(outcome.status == status, "\(arguments): \(outcome.error)")
    #expect(outcome.error.hasPrefix("Error: "), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
    #expect(!FileManager.default.fileExists(atPath: folder.path))
  }

  /// Without arguments there is help; a version is one line.
  @Test func helpAndVersionAreThere() throws {
    let bare = try Experiment.run([]), help = try Experiment.run(["--help"])
    #expect(bare.status == 0 && bare.error.isEmpty && bare.output == help.output)
    #expect(bare.output.contains("SUBCOMMANDS:"))
    let version = try Experiment.run(["--version"])
    #expect(version.status == 0 && version.output == "\(workbenchVersion)\n")
  }

  /// What is not known is answered by the nearest that is.
  @Test(arguments: [
    (["lst"], "There is no subcommand ‘lst’; did you mean ‘list’?"),
    (["transmogrify"], "There is no subcommand ‘transmogrify’; ‘experiment --help’ shows all."),
    (["version"], "did you mean ‘--version’?"),
    (
      ["run", "--conv", "standard,"],
      "A kernel is missing next to a comma in ‘standard,’; leave the comma out."
    ),
    (["help", "exprt"], "There is no subcommand ‘exprt’; did you mean ‘export’?"),
    (["proxies", "--proxies", "snip,synflw"], "did you mean ‘synflow’?"),
    (["run", "--conv", "dilate"], "There is no kernel ‘dilate’; did you mean ‘dilated’?"),
    (["describe", "resnet_20"], "There is no model ‘resnet_20’; did you mean ‘resnet20’?"),
    (["train", "--data", "mnsit:/nowhere"], "did you mean ‘mnist:DIR’?"),
    (["train", "--init", "xaver"], "There is no initialisation ‘xaver’; did you mean ‘xavier’?"),
    (["train", "--rate", "-1"], "--rate is ‘-1’; it must be a number from 0 to 1000."),
    (["run", "--conv", "dilated", "--epochs", "-1"], "--epochs is -1; it must be from 0 to 1000000."),
    (["describe"], "Give a model, such as resnet20;"),
    (["describe", "resnet20", "--model", "resnet20"], "Give one model, as the argument or with --model."),
  ]) func slipsAreAnswered(_ arguments: [String], _ words: String) throws {
    let outcome = try Experiment.run(arguments)
    #expect([1, 64].contains(outcome.status) && outcome.output.isEmpty, "\(arguments)")
    #expect(outcome.error.hasPrefix("Error: ") && outcome.error.contains(words), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1)
  }

  /// The model is the argument or --model, for every command that takes one.
  @Test func modelsAreNamedEitherWay() throws {
    for arguments in [
      ["describe"], ["bench", "--seconds", "0.01"], ["proxies", "--proxies", "snip"],
      ["field", "--conv", "standard", "--seeds", "1", "--batch", "1"], ["train", "--steps", "1"],
    ] {
      let one = try Experiment.run(arguments + ["bottleneck20"])
      let other = try Experiment.run(arguments + ["--model", "bottleneck20"])
      #expect(one.status == 0 && other.status == 0, "\(arguments): \(one.error)\(other.error)")
      // Times differ.
      if arguments[0] != "bench" { #expect(one.output == other.output, "\(arguments)") }
    }
    // Without one, a training is of the main job's.
    let plain = try Experiment.run(["train", "--steps", "1"])
    #expect(plain.status == 0, "\(plain.error)")
  }

  @Test func listShowsEveryKernel() throws {
    let outcome = try Experiment.run(["list"])
    for kernel in KernelRegistry.builtIn.kernels {
      // Its part of the list, up to the next empty line.
      let start = try #require(
        outcome.output.range(of: "\n\(kernel.name): \(kernel.summary)\n"), "\(kernel.name)")
      let part = outcome.output[start.lowerBound...].components(separatedBy: "\n\n")[0]
      #expect(part.contains(kernel.formula) && part.contains("paper: \(kernel.paper)"), "\(kernel.name)")
      #expect(part.hasSuffix("algorithms: \(kernel.algorithms.joined(separator: ", "))"), "\(kernel.name)")
      for option in kernel.options {
        #expect(
          part.contains("  :\(option.name)=\(option.initialText)  \(option.help) (\(option.words))"),
          "\(kernel.name):\(option.name)")
      }
    }
  }

  /// A generated task with classes has the rate of results/recipe; a recipe's options change it.
  @Test(arguments: [
    ("warped-digits", [], "0.05"), ("warped-digits", ["--optimizer", "sgd"], "0.05"),
    ("warped-digits", ["--rate", "0.2"], "0.2"), ("warped-digits", ["--optimizer", "adam"], "0.001"),
    ("position", [], "0.003"), ("synthetic", [], "0.1"),
  ]) func tasksHaveTheirRate(_ data: String, _ options: [String], _ rate: String) throws {
    let item = data == "synthetic" ? data : "\(data):size=16:train=32:validation=16:test=16"
    let outcome = try Experiment.run(
      ["--conv", "1x1", "--data", item, "--epochs", "1", "--seeds", "1", "--output", folder.path] + options)
    #expect(outcome.status == 0, "\(outcome.error)")
    let lines = try String(contentsOfFile: folder.path + "/networks.csv", encoding: .utf8).split(
      separator: "\n")
    let column = try #require(lines[0].split(separator: ",").firstIndex(of: "rate"))
    for line in lines.dropFirst() {
      #expect(line.split(separator: ",", omittingEmptySubsequences: false)[column] == rate)
    }
  }
}
