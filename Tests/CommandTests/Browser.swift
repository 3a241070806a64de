import Foundation
import Testing

/// Chromium without a window, for tests of pages.
enum Browser {
  /// The program, under any of its names; nil where it is not installed.
  static let program: URL? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
      .flatMap { name in folders.map { URL(fileURLWithPath: "\($0)/\(name)") } }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()

  /// A file as the browser has it after its scripts and those of its pictures have run.
  static func document(_ file: URL) throws -> String {
    let program = try #require(program)
    let profile = FileManager.default.temporaryDirectory.appendingPathComponent(
      "browser-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: profile) }
    let outcome = try Experiment.run(
      program,
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(profile.path)",
        "--virtual-time-budget=5000", "--dump-dom", file.absoluteString,
      ])
    try #require(outcome.status == 0, "\(outcome.error)")
    return outcome.output
  }
}
