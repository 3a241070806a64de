import ArgumentParser
import Experiments
import Tensors

/// `experiment proxy-quality`: what proxies say of accuracies, by a finished table.
struct ProxyQualityCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "proxy-quality",
    abstract: "Judge accuracy proxies, parameters and MACs by the trained networks of a table.",
    discussion: """
      Example: swift run experiment proxy-quality results/card/networks.csv

      Prints Kendall's τ and Spearman's ρ with 95 % intervals. With 20 networks or more, it also prints both without \
      the influence of parameters and MACs, within a budget, and among the best networks. With a training.csv of \
      several seeds beside the table, it prints how well any proxy could do. In a space, it prints which operators each \
      proxy favours. docs/proxies.md explains each number; experiment report makes the same tables, with pictures.
      """)

  @Argument(help: ArgumentHelp("The networks.csv of a run or a sweep.", valueName: "file.csv"))
  var table: String
  @Option(help: .rows)
  var csv: String?
  @Option(
    help: ArgumentHelp("Write which operators each proxy favours as a table, too.", valueName: "file.csv"))
  var operators: String?

  @OptionGroup
  var printing: PrintOptions

  func run() throws {
    for file in [csv, operators].compactMap({ $0 }) { try AtomicFile.checkFolder(of: file) }
    let quality = try ProxyQuality(file: table)
    if let csv { try quality.table.write(to: csv) }
    if let operators { try quality.operatorTable.write(to: operators) }
    printing.show(
      quality.text, ["proxy_quality": quality.table, "proxy_operators": quality.operatorTable])
  }
}
