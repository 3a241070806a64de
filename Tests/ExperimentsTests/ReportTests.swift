import Foundation
import Tensors
import TestSupport
import Testing

@testable import Experiments

/// Reports: tables read back, plots, escaping.
@Suite struct ReportTests {
  let folder = TemporaryFolder()

  private func write(_ text: String, to name: String) throws -> String {
    let path = folder.appendingPathComponent(name).path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// A name that means something in HTML, gnuplot, Markdown and LaTeX.
  static let wicked = "<script>alert('x')</script>`touch pwned` & 100% _{}\\ \"$#~^"

  private func writeNetworks() throws {
    var table = CSVTable(columns: [
      "kernel", "model", "replace", "data", "params", "macs", "latency_ms_median", "top1_mean", "top1_ci95",
      "snip", "status",
    ])
    for (kernel, cost, accuracy) in [("standard", 3, 98), (Self.wicked, 1, 97), ("slow", 5, 96)] {
      table.append([
        "kernel": kernel, "model": "m", "replace": "spatial", "data": "d", "params": "\(cost)000",
        "macs": "\(cost)000000", "latency_ms_median": "\(cost)", "top1_mean": "\(accuracy)",
        "top1_ci95": "1.5",
        "snip": "\(accuracy)", "status": "ok",
      ])
    }
    try table.write(to: folder.appendingPathComponent("networks.csv").path)
  }

  @Test func tablesAreReadAsTheyWereWritten() throws {
    var table = CSVTable(columns: ["a", "b"])
    for text in ["", "plain", "a,b", "a \"quoted\" word", "two\nlines", "\"", Self.wicked, "é ×"] {
      table.append(["a": text, "b": "1"])
    }
    let path = folder.appendingPathComponent("t.csv").path
    try table.write(to: path)
    let again = try CSVTable(file: path)
    #expect(again.columns == table.columns && again.rows == table.rows)
    let windows = try CSVTable(file: write("a,b\r\n1,\"2,\"\r\n\r\n3,4", to: "w.csv"))
    #expect(windows.rows == [["a": "1", "b": "2,"], ["a": "3", "b": "4"]])
    for wrong in ["", "a,a\n1,2\n", "a,b\n1\n", "a,b\n1,2,3\n"] {
      #expect(throws: WorkbenchError.self) { try CSVTable(file: write(wrong, to: "wrong.csv")) }
    }
  }

  /// What is a little better than cheaper ones, within the intervals, is not on the front.
  @Test func theFrontIsWhatClearlyPays() {
    func front(_ points: [(cost: Double, gain: Double)], half: Double) -> [Int] {
      AccuracyPlots.clearFront(points.map { ($0.cost, $0.gain, $0.gain - half, $0.gain + half) })
    }
    let points = [(3.0, 98.0), (1, 97), (5, 96), (1, 96), (4, 98), (6, 99)].map { (cost: $0.0, gain: $0.1) }
    #expect(front(points, half: 0) == [1, 0, 5])
    #expect(front(points, half: 0.4) == [1, 0, 5])
    #expect(
      front(points, half: 0.6) == [1],
      "98 ± 0.6 is not clearly above 97 ± 0.6, nor 99 ± 0.6 above that")
    #expect(front(points, half: 2) == [1])
  }

  /// Equal costs are drawn at one place: points are where they are.
  @Test func pointsAreNotMoved() throws {
    var table = CSVTable(columns: ["kernel", "params", "top1_mean", "top1_low95", "top1_high95"])
    for kernel in ["standard", "dilated"] {
      table.append([
        "kernel": kernel, "params": "220090", "top1_mean": "98", "top1_low95": "96.5", "top1_high95": "98.7",
      ])
    }
    try table.write(to: folder.appendingPathComponent("networks.csv").path)
    let plot = try #require(AccuracyPlots.plots(ReportData(folder.url)).first)
    #expect(plot.data.components(separatedBy: "\n220.09 98 96.5 98.7 98\n").count == 3, "\(plot.data)")
  }

  /// Names of files are cut; pictures whose names are the same then are all drawn, each from its own data.
  @Test func noPictureIsLost() throws {
    var table = CSVTable(columns: [
      "kernel", "model", "replace", "data", "seed", "epoch", "validation_top1", "test_top1",
    ])
    let data = "warped-digits:" + String(repeating: "x", count: 90)
    for (kernel, name) in (0..<9).map({ ("kernel\($0)", data + "1") }) + [("standard", data + "2")] {
      for epoch in 1...2 {
        table.append([
          "kernel": kernel, "model": "m", "replace": "spatial", "data": name, "seed": "0",
          "epoch": "\(epoch)", "validation_top1": "5\(epoch)", "test_top1": "",
        ])
      }
    }
    try table.write(to: folder.appendingPathComponent("training.csv").path)
    let plots = ReportSection.plots(try ReportData(folder.url)), names = plots.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(plots.count { $0.title.contains(" of 2)") } == 2, "\(plots.map(\.title))")
    #expect(plots.contains { $0.title.contains(data + "2") })
    for plot in plots {
      let read = plot.script.components(separatedBy: "'").filter { $0.hasSuffix(".dat") }
      #expect(!read.isEmpty && read.allSatisfy { $0 == plot.name + ".dat" }, "\(plot.name): \(read)")
    }
  }

  /// Sizes count for each kernel and algorithm: kernels of different windows make no line.
  @Test func onlyWhatHasSeveralWindowsIsDrawnAgainstThem() throws {
    var table = CSVTable(columns: [
      "kernel", "algorithm", "pass", "batch", "c_in", "c_out", "h", "w", "kh", "stride", "dilation",
      "threads",
      "time_ms_median", "status",
    ])
    func add(_ kernel: String, _ sizes: [Int]) {
      for size in sizes {
        table.append([
          "kernel": kernel, "algorithm": "auto", "pass": "forward", "batch": "1", "c_in": "64", "c_out": "64",
          "h": "56", "w": "56", "kh": "\(size)", "stride": "1", "dilation": "1", "threads": "1",
          "time_ms_median": "\(size)", "status": "ok",
        ])
      }
    }
    func drawn() throws -> [String] {
      try table.write(to: folder.appendingPathComponent("operators.csv").path)
      return SpeedPlots.plots(try ReportData(folder.url)).filter { $0.name.hasPrefix("kernel-size") }
        .map(\.data)
    }
    add("1x1", [1])
    add("standard", [3])
    add("large-kernel", [13])
    #expect(try drawn().isEmpty)
    add("dilated", [3, 5, 7])
    let data = try drawn()
    #expect(data.count == 1 && data[0].contains("dilated") && !data[0].contains("large-kernel"))
  }

  @Test func namesCannotBecomeCommandsOrMarkup() throws {
    try writeNetworks()
    let data = try ReportData(folder.url)
    let plots = ReportSection.plots(data)
    #expect(plots.map(\.name).contains("accuracy-latency-m-spatial-d"))
    #expect(plots.contains { $0.name == "proxy-snip" && $0.title.contains("τ = 1.00") })
    for plot in plots {
      #expect(!plot.script.contains("`") && !plot.data.contains("`"))
      #expect(
        plot.script.contains("\"<script>alert('x')</script>\\140touch pwned\\140 & 100% _{}\\134 \\042$#~^\"")
      )
      #expect(plot.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
    }
    let page = try ReportPage.html(
      data, title: Self.wicked, plots: plots, pictures: plots.map { _ in nil }, notes: [Self.wicked])
    #expect(!page.contains("<script>alert"))
    #expect(page.contains("&lt;script&gt;alert"))
    #expect(page.components(separatedBy: "<script>").count == 2, "the page's own")
    for reference in ["http:", "https:", "@import", "src="] { #expect(!page.contains(reference)) }
  }

  /// Networks of different models are not compared: each set has a panel, and a row.
  @Test func proxiesAreJudgedSetBySet() throws {
    var table = CSVTable(columns: ["kernel", "model", "replace", "data", "snip", "top1_mean"])
    for (index, set) in RankTests.simpson.enumerated() {
      for (kernel, (x, y)) in zip(["standard", "a", "b", "c"], zip(set.0, set.1)) {
        table.append([
          "kernel": kernel, "model": "m\(index)", "replace": "spatial", "data": "d", "snip": "\(x)",
          "top1_mean": "\(y)",
        ])
      }
    }
    try table.write(to: folder.appendingPathComponent("networks.csv").path)
    let data = try ReportData(folder.url)
    let plot = try #require(ProxyPlots.plots(data).first { $0.name == "proxy-snip" })
    #expect(plot.title.hasPrefix("snip against accuracy: Kendall's τ, mean of 6 sets = -0.82 (95 %: "))
    let labels = plot.commands.filter { $0.hasPrefix("set xlabel") }
    #expect(labels.count == 6 && labels.allSatisfy { $0.contains("snip: τ = -0.82 (95 %: ") })
    #expect(plot.commands.contains { $0.hasPrefix("set title \"m4, spatial, d\"") })
    // Six panels without a key; each kernel's points are a block of their own, with a label and a tooltip in their panel.
    #expect(plot.script.components(separatedBy: "\nplot ").count == 1 + 2 * 6)
    #expect(plot.spots.count == 6 * 4 && plot.spots.allSatisfy { $0.text.contains("\nsnip: ") })
    #expect(plot.spots[23].x > 2 * 340 && plot.spots[23].y > 300 && plot.spots[0].x < 340)
    #expect(plot.commands.count { $0.hasPrefix("set label 1 ") } == 6)
    #expect(plot.data.components(separatedBy: "# m").count == 1 + 6 * 4)
    #expect(plot.script.contains("index 23 ") && !plot.script.contains("index 24 "))
    let paper = try #require(PaperTables.tables(data).first { $0.title == "Proxies" })
    #expect(paper.rows.count == 7 && paper.header.contains("model"))
  }

  @Test func tablesForPapersAreEscaped() throws {
    try writeNetworks()
    let table = try #require(PaperTables.tables(ReportData(folder.url)).first)
    #expect(table.header == ["kernel", "parameters", "MACs", "latency, ms", "top-1, % (95 %)"])
    let latex = PaperTables.latex(table)
    #expect(
      latex.contains("\\begin{tabular}{lrrrr}")
        && latex.contains("standard & 3,000 & 3,000,000 & 3.00 & 98.0 $\\pm$ 1.5 \\\\"))
    #expect(
      latex.contains(
        "\\textless{}script\\textgreater{}alert('x')\\textless{}/script\\textgreater{}\\textasciigrave{}touch pwned\\textasciigrave{} \\& 100\\% \\_\\{\\}\\textbackslash{} \\textquotedbl{}\\$\\#\\textasciitilde{}\\textasciicircum{}"
      ), "\(latex)")
    let markdown = PaperTables.markdown(table)
    #expect(
      markdown.contains(
        "| kernel | parameters | MACs | latency, ms | top-1, % (95 %) |\n|---|---:|---:|---:|---:|\n"))
    #expect(markdown.contains("\\<script\\>alert") && !markdown.contains(" <script"))
    #expect(
      PaperTables.markdown(.init(title: "t", header: ["a"], rows: [["x|y"]], words: [0])).contains("x\\|y"))
  }

  @Test func axesShowTheirValues() {
    let plain = AccuracyAxis([90, 95], intervals: [1, 1])
    #expect(!plain.isLogarithmic && plain.place(95) == 95)
    let wide = AccuracyAxis([20, 98, 100])
    #expect(wide.isLogarithmic && wide.place(98) == 2)
    #expect(wide.place(100) > 0, "an error of zero has a place on a logarithmic axis")
  }

  @Test func emptyFoldersAreRefused() {
    #expect(throws: WorkbenchError.self) { try Report(folder: folder.path) }
    #expect(throws: WorkbenchError.self) { try Report(folder: folder.path + "/nowhere") }
  }
}
