import Foundation
import Tensors

/// The program that draws.
struct Gnuplot {
  /// The sentence for a missing gnuplot.
  static let advice =
    "gnuplot is not installed, so there are no pictures; install it (apt-get install gnuplot-nox, or brew install gnuplot) and repeat the command, or run the scripts in plots/ elsewhere."

  /// A picture in both of its forms.
  struct Picture {
    let svg, png: Data
  }

  /// Why there is no picture.
  struct Failure: Error {
    /// The sentence.
    let sentence: String
    /// Whether drawing took too long, so that other pictures are not tried.
    var isLate = false
  }

  /// The program's path.
  let program: String
  /// How long a picture may take, in seconds. The largest ones take a few.
  let limit: Double

  /// A program; the first gnuplot of the folders of PATH, or nil if there is none.
  init?(_ program: String? = nil, limit: Double = 120) {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    guard
      let found = program
        ?? folders.map({ "\($0)/gnuplot" }).first(where: FileManager.default.isExecutableFile)
    else { return nil }
    self.program = found
    self.limit = limit
  }

  /// Draws a plot in a folder of its own, so that no partial picture is left.
  func draw(_ plot: Plot) throws(Failure) -> Picture {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("plot-\(UUID().uuidString)")
    func file(_ type: String) -> String { folder.appendingPathComponent("\(plot.name).\(type)").path }
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try AtomicFile.write(Data(plot.data.utf8), to: file("dat"))
      try AtomicFile.write(Data(plot.script.utf8), to: file("gp"))
    } catch {
      throw Failure(sentence: "\(plot.name) cannot be drawn, because \(folder.path) cannot be written.")
    }
    guard let end = ChildProcess.run(program, ["\(plot.name).gp"], in: folder.path, limit: limit) else {
      throw Failure(sentence: "\(program) cannot be started.")
    }
    guard !end.isLate else {
      throw Failure(
        sentence:
          "gnuplot did not draw \(plot.name) within \(Cell.number(limit)) seconds, so this picture and those after it are missing; check that gnuplot works, and repeat the command.",
        isLate: true)
    }
    guard end.status == 0 else {
      let line = end.errors.split(separator: "\n").last { $0.contains("line") } ?? "it failed"
      throw Failure(
        sentence: "gnuplot could not draw \(plot.name): \(line.trimmingCharacters(in: .whitespaces))")
    }
    guard let svg = FileManager.default.contents(atPath: file("svg")), !svg.isEmpty,
      let png = FileManager.default.contents(atPath: file("png")), !png.isEmpty
    else {
      throw Failure(
        sentence:
          "gnuplot ended without drawing \(plot.name); see whether \(program) is a gnuplot with svg and png.")
    }
    return Picture(svg: Spot.add(plot.spots, to: svg), png: png)
  }
}
