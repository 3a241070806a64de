import ArgumentParser
import Experiments
import Kernels
import Learning
import Networks

/// `experiment list`: every kernel with its formula, paper, options and algorithms; every model with its source; the data.
struct ListCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the kernels, the models and the data.",
    discussion: "Example: swift run experiment list")

  @OptionGroup
  var printing: PrintOptions

  func run() {
    let kernels = ExperimentCommand.registry.kernels
    printing.show(
      Self.text(kernels),
      [
        "kernels": Self.table(kernels), "models": Self.models, "blocks": Self.blocks, "init": Self.schemes,
        "data": Self.data,
        "options": Self.options(kernels),
      ])
  }

  private static func text(_ kernels: [any Kernel]) -> String {
    var lines: [String] = []
    for family in KernelFamily.allCases {
      let members = kernels.filter { $0.family == family }
      if !members.isEmpty { lines.append("\(family.rawValue)\n") }
      lines += members.flatMap(Self.lines)
    }
    lines.append(
      "Kernels joined by + make one network with a kernel for each stage: shift+standard+dilated:dilation=4\n"
    )
    lines.append("Models\n")
    for family in Models.families {
      lines.append("\(family.name): \(family.models.map(\.name).joined(separator: ", "))\n  \(family.source)")
    }
    lines.append("\nBlocks for bottleneck20 and the other small networks (--block)\n")
    lines += ResidualDescription.Block.allCases.map { "\($0.rawValue): \($0.summary)" }
    lines.append("\nInitial weights (--init)\n")
    for scheme in InitializationScheme.all {
      lines += ["\(scheme.name): \(scheme.summary)"] + scheme.options.map(line)
    }
    lines.append("\nData\n")
    for source in DataSource.all {
      lines.append("\(source.form): \(source.summary)")
      if let facts = source.facts {
        lines += [
          "  a test of \(facts.about)", "  \(facts.definition)", "  \(facts.solution)",
          "  chance: \(source.chance.map { "\(Cell.fixed($0, decimals: 1)) %" } ?? "none, a regression")",
          "  paper: \(facts.paper)",
        ]
      }
      lines += source.options.map(line)
    }
    return lines.joined(separator: "\n")
  }

  private static func line(_ option: any AnyKernelOption) -> String {
    "  :\(option.name)=\(option.initialText)  \(option.help) (\(option.words))"
  }

  private static func lines(_ kernel: any Kernel) -> [String] {
    let remarks = (try? KernelOptions([], of: kernel)).map { kernel.remarks($0) } ?? []
    return ["\(kernel.name): \(kernel.summary)", "  \(kernel.formula)", "  paper: \(kernel.paper)"]
      + kernel.options.map(line) + remarks.map { "  \($0)" }
      + ["  algorithms: \(kernel.algorithms.joined(separator: ", "))\n"]
  }

  private static func table(_ kernels: [any Kernel]) -> CSVTable {
    typealias Column = Experiments.Column<any Kernel>
    return CSVTable(
      kernels,
      [
        Column("kernel") { $0.name }, Column("family") { $0.family.rawValue },
        Column("summary") { $0.summary }, Column("formula") { $0.formula }, Column("paper") { $0.paper },
        Column("algorithms") { $0.algorithms.joined(separator: ",") },
      ])
  }

  private static var models: CSVTable {
    typealias Column = Experiments.Column<(name: String, family: String, source: String)>
    let models = Models.families.flatMap { family in
      family.models.map { (name: $0.name, family: family.name, source: family.source) }
    }
    return CSVTable(
      models,
      [Column("model") { $0.name }, Column("family") { $0.family }, Column("source") { $0.source }])
  }

  private static var blocks: CSVTable {
    typealias Column = Experiments.Column<ResidualDescription.Block>
    return CSVTable(
      ResidualDescription.Block.allCases,
      [Column("block") { $0.rawValue }, Column("summary") { $0.summary }])
  }

  private static var schemes: CSVTable {
    typealias Column = Experiments.Column<InitializationScheme>
    return CSVTable(
      InitializationScheme.all, [Column("init") { $0.name }, Column("summary") { $0.summary }])
  }

  private static var data: CSVTable {
    typealias Column = Experiments.Column<DataSource>
    return CSVTable(
      DataSource.all,
      [
        Column("data") { $0.name }, Column("form") { $0.form }, Column("summary") { $0.summary },
        Column("paper") { $0.facts?.paper }, Column("definition") { $0.facts?.definition },
        Column("solution") { $0.facts?.solution },
        Column("chance") { $0.chance.map { Cell.fixed($0, decimals: 1) } },
      ])
  }

  /// The options of all of them.
  private static func options(_ kernels: [any Kernel]) -> CSVTable {
    typealias Row = (kind: String, name: String, option: any AnyKernelOption)
    typealias Column = Experiments.Column<Row>
    func rows(_ kind: String, _ name: String, _ options: [any AnyKernelOption]) -> [Row] {
      options.map { (kind, name, $0) }
    }
    let options =
      kernels.flatMap { rows("kernel", $0.name, $0.options) }
      + InitializationScheme.all.flatMap { rows("init", $0.name, $0.options) }
      + DataSource.all.flatMap { rows("data", $0.name, $0.options) }
    return CSVTable(
      options,
      [
        Column("of") { $0.kind }, Column("name") { $0.name }, Column("option") { $0.option.name },
        Column("initial") { $0.option.initialText }, Column("values") { $0.option.words },
        Column("help") { $0.option.help },
      ])
  }
}
