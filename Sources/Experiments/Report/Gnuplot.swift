import Foundation
import Tensors

/// The program that draws.
struct Gnuplot {
  /// What to say where it is missing.
  static let advice =
    "gnuplot is not installed, so there are no pictures; install it (apt-get install gnuplot-nox, or brew install gnuplot) and run this again, or run the scripts in plots/ elsewhere."

  private let program: URL

  /// The first gnuplot of the folders of PATH; nil if there is none.
  init?() {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let found = folders.map { URL(fileURLWithPath: String($0)).appendingPathComponent("gnuplot") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    guard let found else { return nil }
    program = found
  }

  /// Draws a plot whose script and data are in `folder`; nil, or why it could not be drawn.
  func draw(_ plot: Plot, in folder: URL) -> String? {
    let process = Process(), errors = Pipe()
    process.executableURL = program
    process.arguments = ["\(plot.name).gp"]
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    guard (try? process.run()) != nil else { return "\(program.path) cannot be started." }
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let line = text.split(separator: "\n").last { $0.contains("line") } ?? "it failed"
      return "gnuplot could not draw \(plot.name): \(line.trimmingCharacters(in: .whitespaces))"
    }
    return nil
  }
}
