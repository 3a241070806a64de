import ArgumentParser
import Compute
import Experiments
@preconcurrency import Foundation
import Kernels
import Synchronization
import Tensors

/// The command `experiment`.
///
/// A package with its own kernels calls `ExperimentCommand.main(kernels:)` with its own list, or `main(own:)`.
public struct ExperimentCommand: ParsableCommand {
  public static let configuration = CommandConfiguration(
    commandName: "experiment",
    abstract: "What happens if the 3×3 convolution in a residual network is replaced by another operator?",
    version: workbenchVersion,
    subcommands: [
      RunCommand.self, ListCommand.self, DataCommand.self, ConvCommand.self, BenchCommand.self,
      DescribeCommand.self, LogitsCommand.self, EvaluateCommand.self, TrainCommand.self, ProxiesCommand.self,
      ProxyQualityCommand.self,
      ExportCommand.self, FieldCommand.self, FeaturesCommand.self, OffsetsCommand.self,
      TrainabilityCommand.self,
      SweepCommand.self, CompareCommand.self, SearchCommand.self, ReportCommand.self,
      CheckCommand.self, NewKernelCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  /// For the argument parser.
  public init() {}

  private static let kernels = Mutex(KernelRegistry.builtIn)

  /// The kernels that the command knows.
  static var registry: KernelRegistry { kernels.withLock { $0 } }

  /// Runs the command with the built-in kernels and others, and ends the process.
  public static func main(own: [any Kernel]) -> Never {
    let builtIn = Set(KernelRegistry.builtIn.kernels.map(\.name))
    for name in own.map(\.name) where builtIn.contains(name) {
      warn("‘\(name)’ replaces the built-in kernel of that name; give it another name to compare both.")
    }
    main(kernels: KernelRegistry(KernelRegistry.builtIn.kernels + own))
  }

  /// Runs the command with the arguments of this process, and ends the process.
  ///
  /// - Parameter kernels: the kernels that `--conv` can name.
  public static func main(kernels: KernelRegistry) -> Never {
    if let lacking = lackingFeatures() {
      warn(
        "Error: This program was built for \(InstructionSet.built), but the processor has no \(lacking); build it here again."
      )
      finish(1)
    }
    Self.kernels.withLock { $0 = kernels }
    // A file must not get the number of a standard stream that is closed. What goes to a closed standard output is lost,
    // and that is an error.
    for stream in STDIN_FILENO...STDERR_FILENO where fcntl(stream, F_GETFD) == -1 {
      _ = open("/dev/null", stream == STDOUT_FILENO ? O_RDONLY : O_RDWR)
    }
    // If the reader goes away (`experiment list | head`), the output ends without a crash.
    signal(SIGPIPE, SIG_DFL)
    // Exceeding the user's limit on file sizes is an error like other failures to write.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot(arguments(Array(CommandLine.arguments.dropFirst())))
      if let command = command as? any ShowsProgress { ProgressLine.style = command.progress.style }
      try command.run()
      finish(0)
    } catch let stop as Cancellation.Requested {
      warn(stop.sentence)
      finish(130)
    } catch {
      let code = exitCode(for: error)
      // Wrong usage gets one sentence, not a whole screen; help and versions are printed unchanged.
      let text =
        code == .validationFailure ? "Error: \(shortened(message(for: error)))" : fullMessage(for: error)
      if code.isSuccess { print(ownOptionsFirst(text)) } else if !text.isEmpty { warn(text) }
      finish(code.rawValue)
    }
  }

  /// Ends the process. If output could not be written, any command fails.
  private static func finish(_ status: Int32) -> Never {
    errno = 0
    if fflush(stdout) != 0 || ferror(stdout) != 0 {
      let reason = errno == 0 ? "" : ": \(String(cString: strerror(errno)))"
      warn("Error: Standard output could not be written\(reason).")
      Foundation.exit(status == 0 ? 1 : status)
    }
    Foundation.exit(status)
  }

  /// The arguments for the parser. Without any it prints the help. A word that is not a subcommand is not taken for
  /// an argument of the default one. And `--rate -1` becomes `--rate=-1`, since a dash would begin an option.
  static func arguments(_ given: [String]) throws -> [String] {
    guard let first = given.first else { return ["--help"] }
    let subcommands = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
    let named = first == "help" && given.count > 1 ? given[1] : first
    guard named.hasPrefix("-") || subcommands.contains(named) else {
      throw ValidationError(
        "There is no subcommand ‘\(named)’; "
          + (named == "version"
            ? "did you mean ‘--version’?"
            : suggestion(for: named, among: subcommands, shownBy: "experiment --help")))
    }
    var result: [String] = []
    for argument in given {
      let isNumber = argument.hasPrefix("-") && Double(argument) != nil
      if isNumber, let option = result.last, option.hasPrefix("--"), !option.contains("=") {
        result[result.count - 1] = "\(option)=\(argument)"
      } else {
        result.append(argument)
      }
    }
    return result
  }

  /// A help text with the command's own options before those that it shares with others, which the parser puts first
  /// because they have titles.
  static func ownOptionsFirst(_ help: String) -> String {
    var sections = help.components(separatedBy: "\n\n")
    guard let own = sections.firstIndex(where: { $0.hasPrefix("OPTIONS:\n") }),
      let usage = sections.firstIndex(where: { $0.hasPrefix("USAGE:") })
    else { return help }
    sections.insert(sections.remove(at: own), at: usage + 1)
    return sections.joined(separator: "\n\n")
  }

  /// A message of the parser, with the nearest value instead of a list of all.
  static func shortened(_ message: String) -> String {
    let parts = message.components(separatedBy: ". Please provide one of the following:\n")
    guard parts.count == 2 else { return message }
    let names = parts[1].split(separator: "\n").map {
      $0.trimmingCharacters(in: CharacterSet(charactersIn: " -"))
    }
    let words = parts[0].split(separator: "'").dropFirst().first?.split(separator: ",") ?? []
    let word = words.map(String.init).first { !names.contains($0) } ?? ""
    return "\(parts[0]); \(suggestion(for: word, among: names))"
  }

  private static func lackingFeatures() -> String? {
    guard let features = Host.features else { return nil }
    let lacking = InstructionSet.required.filter { !features.contains($0) }
    return lacking.isEmpty ? nil : lacking.joined(separator: ", ")
  }
}

/// Writes a sentence to standard error, always on one line.
func warn(_ sentence: String) { Terminal.tell("\(WorkbenchError(sentence))\n") }
