import Foundation
import Tensors
import TestSupport
import Testing

@testable import Experiments

/// What a report shows of several data sets.
@Suite struct TaskPlotsTests {
  let folder = TemporaryFolder()

  private func write(_ tasks: [String], groups: [String] = []) throws {
    var table = CSVTable(columns: [
      "group", "kernel", "model", "replace", "data", "top1_mean", "top1_ci95", "top1_low95", "top1_high95",
      "top1_difference", "top1_difference_low95", "top1_difference_high95", "verdict",
    ])
    var training = CSVTable(columns: ["kernel", "model", "replace", "data", "seed", "epoch", "test_top1"])
    for (place, task) in tasks.enumerated() {
      for (kernel, change, verdict) in [("standard", 0.0, ""), ("shift", -7, "worse"), ("fft", 0.25, "open")]
      {
        table.append([
          "group": groups.isEmpty ? "" : groups[place], "kernel": kernel, "model": "m", "replace": "spatial",
          "data": task, "top1_mean": "\(90 + change)",
          "top1_ci95": "1", "top1_low95": "\(89 + change)", "top1_high95": "\(91 + change)",
          "top1_difference": "\(change)",
          "top1_difference_low95": kernel == "standard" ? "" : "\(change - 1)",
          "top1_difference_high95": kernel == "standard" ? "" : "\(change + 1)", "verdict": verdict,
        ])
        for epoch in 1...2 {
          training.append([
            "kernel": kernel, "model": "m", "replace": "spatial", "data": task, "seed": "0",
            "epoch": "\(epoch)", "test_top1": "\(80 + 5 * epoch)",
          ])
        }
      }
    }
    try table.write(to: folder.appendingPathComponent("networks.csv").path)
    try training.write(to: folder.appendingPathComponent("training.csv").path)
  }

  @Test func differencesHaveNumbersAndMarks() throws {
    try write(["digits", "bars:size=24"])
    let data = try ReportData(folder.url), plots = TaskPlots.plots(data)
    let map = try #require(plots.first)
    #expect(map.name == "differences-m-spatial" && map.task == nil)
    // Column, row, difference, verdict; the yardstick's accuracies after it.
    #expect(map.data.contains("\n1 1 -7 3\n") && map.data.contains("\n0 2 0.25 1\n"))
    #expect(map.data.contains("\n1 0 90\n"))
    #expect(map.script.contains("'▼'") && map.script.contains("\"bars\" 1"))
    #expect(plots.dropFirst().map(\.task) == ["digits", "bars:size=24"])
    // Where only options tell data sets apart, they are said.
    try write(["bars:size=16", "bars:size=24"])
    #expect(TaskPlots.plots(try ReportData(folder.url))[0].script.contains("\"bars:size=24\" 1"))
    // Groups of a data set each are one map; those that share one are several.
    try write(["digits", "bars"], groups: ["one", "two"])
    #expect(TaskPlots.plots(try ReportData(folder.url)).map(\.name).first == "differences-m-spatial")
    try write(["digits", "digits"], groups: ["one", "two"])
    #expect(!TaskPlots.plots(try ReportData(folder.url)).contains { $0.name.hasPrefix("differences") })
    // One data set has no map, and no part of the page to itself.
    try write(["digits"])
    #expect(TaskPlots.plots(try ReportData(folder.url)).count == 1)
  }

  /// Errors over epochs: the mean of the seeds, the lowest, the highest.
  @Test func regressionsHaveCurves() throws {
    var training = CSVTable(columns: [
      "kernel", "model", "replace", "data", "seed", "epoch", "validation_mse",
    ])
    for (seed, errors) in [("0", [0.4, 0.02]), ("1", [0.2, 0.04])] {
      for (epoch, error) in zip(1..., errors) {
        training.append([
          "kernel": "standard", "model": "m", "replace": "spatial", "data": "position", "seed": seed,
          "epoch": "\(epoch)", "validation_mse": "\(error)",
        ])
      }
    }
    try training.write(to: folder.appendingPathComponent("training.csv").path)
    let curves = try #require(LearningPlots.curves(ReportData(folder.url)).first)
    #expect(curves.data.contains("1 0.3 0.2 0.4\n2 0.03 0.02 0.04\n"), "\(curves.data)")
    #expect(curves.script.contains("set logscale y") && curves.task == "position")
    #expect(curves.caption.hasPrefix("The validation mean squared error, as the mean over seeds"))
    if Gnuplot() != nil {
      let outcome = try Report(folder: folder.path).write(.html)
      #expect(outcome.drawn == outcome.plots && outcome.drawn > 0, "\(outcome.warnings)")
    }
  }

  @Test func eachTaskHasAPartOfThePage() throws {
    try write(["digits", "<b>bars</b>"])
    let outcome = try Report(folder: folder.path).write(.html)
    let page = try String(contentsOfFile: outcome.path, encoding: .utf8)
    #expect(page.components(separatedBy: "<article").count == 3 && !page.contains("<b>"))
    #expect(page.contains("<a href=\"#task-2\">&lt;b&gt;bars&lt;/b&gt;</a>"))
    let parts = page.components(separatedBy: "<article")
    // The map is above, each task's curves and intervals are its own.
    #expect(parts[0].contains("plot-differences-") && !parts[0].contains("plot-curves-"))
    for part in parts.dropFirst() {
      #expect(part.contains("plot-curves-") && part.contains("plot-intervals-"))
    }
    if Gnuplot() != nil { #expect(outcome.drawn == outcome.plots, "\(outcome.warnings)") }
    try write(["digits"])
    try FileManager.default.removeItem(at: folder.appendingPathComponent("report.html"))
    let single = try Report(folder: folder.path).write(.html)
    #expect(try !String(contentsOfFile: single.path, encoding: .utf8).contains("<article"))
  }
}

extension TaskPlotsTests {
  /// Two classes of three and one images; shift takes one of the three for the other class.
  @Test func confusionIsInPercentOfTheClass() throws {
    try write(["digits"])
    try """
    kernel,model,replace,data,class,predicted,images
    standard,m,spatial,digits,0,0,3
    standard,m,spatial,digits,1,1,1
    shift,m,spatial,digits,0,0,2
    shift,m,spatial,digits,0,1,1
    shift,m,spatial,digits,1,1,1
    fft,m,spatial,digits,0,0,3
    fft,m,spatial,digits,1,1,1

    """.write(to: folder.appendingPathComponent("confusion.csv"), atomically: true, encoding: .utf8)
    let plots = ConfusionPlots.plots(try ReportData(folder.url))
    // fft's verdict is open.
    #expect(
      plots.map(\.name) == [
        "classes-m-spatial-digits", "confusion-m-spatial-digits-standard", "confusion-m-spatial-digits-shift",
      ])
    #expect(plots[0].data.contains("\n0 1 66.6666667\n1 1 100\n"), "\(plots[0].data)")
    #expect(plots[2].data.contains("\n0 0 66.6666667\n1 0 33.3333333\n0 1 0\n1 1 100\n"))
    if let gnuplot = Gnuplot() { for plot in plots { _ = try gnuplot.draw(plot) } }
  }

  /// The test split was looked at after the first of two epochs, the best by validation.
  @Test func comparisonsTakeTheEpochThatWasTested() throws {
    let path = folder.path
    try "kernel,model,replace,data,test_images\nshift,m,spatial,d,100\n"
      .write(toFile: path + "/networks.csv", atomically: true, encoding: .utf8)
    try """
    kernel,model,data,seed,epoch,test_top1,replace
    shift,m,d,0,1,70,spatial
    shift,m,d,0,2,,spatial
    shift,m,d,1,1,,spatial
    shift,m,d,1,2,80,spatial

    """.write(toFile: path + "/training.csv", atomically: true, encoding: .utf8)
    let trainings = try ComparedTraining.tables(path).sorted { $0.seed < $1.seed }
    #expect(trainings.map(\.top1) == [70, 80] && Set(trainings.map(\.key)).count == 1)
  }
}
