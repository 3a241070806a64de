import ArgumentParser
import Experiments
import Tensors

/// `experiment compare`: whether accuracies have changed.
struct CompareCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare the trainings of two folders of results, or of two commits, network by network.",
    discussion: """
      Example: swift run experiment compare results/tasks HEAD:results/tasks

      Trainings with the same kernel, model, replace, data and seed are paired. If both folders have records, recipes must \
      be the same too, and images are paired; tables alone record only the recipe's epochs. Regressions are not \
      compared. The verdicts are those of networks.csv (docs/statistics.md), corrected for the number of networks \
      compared. COMMIT:FOLDER is a folder in a git commit; COMMIT alone means its folder results.
      """)

  /// What the command fails on.
  enum Failure: String, CaseIterable, ExpressibleByArgument {
    /// A verdict. A network with a single seed has none and counts as open.
    case worse, better, open
    /// A training that only one of the two has.
    case missing
  }

  @Argument(help: ArgumentHelp("The results before: a folder, or COMMIT:FOLDER.", valueName: "before"))
  var before: String
  @Argument(help: ArgumentHelp("The results after: a folder, or COMMIT:FOLDER.", valueName: "after"))
  var after: String
  @Option(
    help: ArgumentHelp("The largest difference that counts as ‘equivalent’.", valueName: "points"))
  var margin = Verdict.margin
  @Option(
    help: ArgumentHelp(
      "Exit with code 1 if a verdict is worse, better or open, or if trainings are missing; can be repeated.",
      valueName: "what"))
  var failOn: [Failure] = []
  @Option(help: ArgumentHelp("The file for the comparison as a table.", valueName: "file"))
  var csv: String?

  @OptionGroup
  var printing: PrintOptions

  func validate() throws { try check(margin, "--margin", Verdict.margins) }

  func run() throws {
    let comparison = try ResultComparison(before, after, margin: margin)
    if let csv { try comparison.table.write(to: csv) }
    printing.show(comparison.summary, ["comparison": comparison.table])
    for failure in Failure.allCases where failOn.contains(failure) {
      let count =
        switch failure {
        case .missing: comparison.missing
        case .worse: comparison.count(.worse)
        case .better: comparison.count(.better)
        case .open: comparison.count(.open) + comparison.count(nil)
        }
      guard count > 0 else { continue }
      throw WorkbenchError(
        failure == .missing
          ? "Only one of the two has \(count) of the trainings."
          : "\(count) of the networks: \(failure.rawValue).")
    }
  }
}
