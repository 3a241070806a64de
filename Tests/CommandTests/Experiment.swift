import Foundation

/// The built command.
enum Experiment {
  struct Outcome {
    let status: Int32
    let output: String
    let error: String
  }

  /// Beside the test bundle.
  static var executable: URL {
    let candidates =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() } + [
        Bundle.main.bundleURL, URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent(),
      ]
    let found = candidates.map { $0.appendingPathComponent("experiment") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    return found ?? URL(fileURLWithPath: ".build/debug/experiment")
  }

  static func start(_ arguments: [String]) throws -> (Process, output: Pipe, error: Pipe) {
    let process = Process(), output = Pipe(), error = Pipe()
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = error
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output, error)
  }

  /// Runs it to its end. The outputs here are short enough for a pipe.
  static func run(_ arguments: [String]) throws -> Outcome {
    let (process, output, error) = try start(arguments)
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let errorText = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: String(decoding: text, as: UTF8.self), error: String(decoding: errorText, as: UTF8.self))
  }
}
