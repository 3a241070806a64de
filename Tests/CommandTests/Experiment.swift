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

  /// Runs it to its end.
  static func run(_ arguments: [String]) throws -> Outcome { try run(executable, arguments) }

  /// Runs a program to its end. Its outputs go to files: of two pipes, the one that is read last could fill up.
  static func run(_ program: URL, _ arguments: [String], environment: [String: String] = [:]) throws
    -> Outcome
  {
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("outputs-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: place) }
    let files = ["output", "error"].map(place.appendingPathComponent)
    for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    process.waitUntilExit()
    let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return Outcome(
      status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
      output: texts[0], error: texts[1])
  }
}
