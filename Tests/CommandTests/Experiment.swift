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

  /// Starts it.
  static func start(_ arguments: [String]) throws -> Started { try Started(executable, arguments) }

  /// Runs it to its end.
  static func run(_ arguments: [String]) throws -> Outcome { try start(arguments).outcome() }

  /// Runs a program to its end.
  static func run(_ program: URL, _ arguments: [String], environment: [String: String] = [:]) throws
    -> Outcome
  { try Started(program, arguments, environment: environment).outcome() }

  /// A program that runs. Its outputs go to files: a pipe that nobody reads yet fills up, and the program waits for ever.
  final class Started {
    let process = Process()
    private let place = FileManager.default.temporaryDirectory.appendingPathComponent(
      "outputs-\(UUID().uuidString)")

    fileprivate init(_ program: URL, _ arguments: [String], environment: [String: String] = [:]) throws {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      process.executableURL = program
      process.arguments = arguments
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try file("output")
      process.standardError = try file("error")
      try process.run()
    }

    deinit { try? FileManager.default.removeItem(at: place) }

    private func file(_ name: String) throws -> FileHandle {
      let url = place.appendingPathComponent(name)
      _ = FileManager.default.createFile(atPath: url.path, contents: nil)
      return try FileHandle(forWritingTo: url)
    }

    /// Presses Ctrl-C as soon as a folder of records has so many more of them.
    func interrupt(after count: Int, recordsIn folder: String) {
      func records() -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).count { $0.hasSuffix(".json") }
      }
      let before = records()
      while process.isRunning, records() < before + count { Thread.sleep(forTimeInterval: 0.05) }
      kill(process.processIdentifier, SIGINT)
    }

    /// Waits for its end.
    func outcome() throws -> Outcome {
      process.waitUntilExit()
      let texts = try ["output", "error"].map {
        String(decoding: try Data(contentsOf: place.appendingPathComponent($0)), as: UTF8.self)
      }
      return Outcome(
        status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
        output: texts[0], error: texts[1])
    }
  }
}
