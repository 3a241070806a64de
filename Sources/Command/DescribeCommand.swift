import ArgumentParser
import Experiments
import Layers
import Networks
import Tensors

/// `experiment describe`: a model's layers, what each costs, and what bottlenecks save.
struct DescribeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "List a model's layers with exact counts of parameters and operations.",
    discussion: """
      Example: swift run experiment describe resnet50 --conv deformable --stages 2,3,4 --csv resnet50.csv

      Counts are those of one image. MACs of padding count, as in PyTorch's counters.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(
    help: ArgumentHelp(
      "The kernel in place of the model's convolutions (default: the model's own).", valueName: "name"))
  var conv: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(help: ArgumentHelp("The image, CxHxW (default: the model's own).", valueName: "size"))
  var input: ImageArgument?
  @Option(help: ArgumentHelp("The number of classes (default: the model's own).", valueName: "n"))
  var classes: Int?
  @Option(
    name: .customLong("print"),
    help: "torch prints the tree of modules as PyTorch's print(model) does; table prints the layers.")
  var form = Form.table
  @Option(help: ArgumentHelp("Where the rows go, with a last one for the total.", valueName: "file"))
  var csv: String?

  enum Form: String, CaseIterable, ExpressibleByArgument { case table, torch }

  func validate() throws {
    _ = try model.required()
    if let classes { try check(classes, "--classes", 1...1_048_576) }
  }

  func run() throws {
    let name = try model.required()
    let shape = input?.shape ?? Models.input(name)
    let network = try variations.network(
      name, conv, inputChannels: shape.channels, classes: classes, seed: 0)
    _ = try network.outputShape(for: shape)
    let rows = try network.summaries(for: shape)
    if let remark = try network.reachRemark(for: shape) {
      warn("\(conv ?? network.description.ownKernel ?? "standard"): \(remark)")
    }
    if let csv { try Self.csvTable(rows).write(to: csv) }
    switch form {
    case .torch: print(network.printed)
    case .table:
      print(Self.textTable(rows))
      let savings = try network.bottleneckSavings(for: shape)
      if !savings.isEmpty { print("\n" + Self.textTable(savings)) }
    }
  }

  private static func total(_ rows: [LayerSummary]) -> Cost { rows.reduce(Cost()) { $0 + $1.cost } }

  private static func csvTable(_ rows: [LayerSummary]) -> CSVTable {
    var table = CSVTable(columns: [
      "layer", "type", "kernel", "output", "params", "macs", "adds", "other_ops",
    ])
    func append(_ name: String, _ row: LayerSummary?, _ cost: Cost) {
      table.append([
        "layer": name, "type": row?.type ?? "", "kernel": row?.kernel ?? "",
        "output": row.map { size($0.output, "x") } ?? "", "params": String(cost.parameters),
        "macs": String(cost.macs), "adds": String(cost.adds), "other_ops": String(cost.otherOps),
      ])
    }
    for row in rows { append(row.name, row, row.cost) }
    append("total", nil, total(rows))
    return table
  }

  private static func textTable(_ rows: [LayerSummary]) -> String {
    var table = TextTable(
      ["layer", "type", "kernel", "output", "params", "MACs", "adds", "other"], left: [0, 1, 2, 3])
    func append(_ name: String, _ row: LayerSummary?, _ cost: Cost) {
      table.append(
        [name, row?.type ?? "", row?.kernel ?? "", row.map { size($0.output, "×") } ?? ""]
          + [cost.parameters, cost.macs, cost.adds, cost.otherOps].map(Cell.grouped))
    }
    for row in rows { append(row.name, row, row.cost) }
    append("total", nil, total(rows))
    return table.text
  }

  private static func textTable(_ savings: [BottleneckSaving]) -> String {
    var table = TextTable(
      ["block", "H×W", "Cin", "Cmid", "Cout", "params", "plain", "MACs", "plain", "saved %"])
    for row in savings {
      table.append(
        [row.block, "\(row.height)×\(row.width)", "\(row.inputs)", "\(row.inner)", "\(row.outputs)"]
          + [row.parameters, row.plainParameters, row.macs, row.plainMACs].map(Cell.grouped)
          + [Cell.fixed(100 * (1 - Double(row.macs) / Double(row.plainMACs)), decimals: 1)])
    }
    let groups = savings.first.map { $0.groups > 1 ? "/\($0.groups)" : "" } ?? ""
    return """
      What the bottlenecks save: H·W·(Cin·Cmid + 9·Cmid²\(groups) + Cmid·Cout) MACs beside a plain 3×3's 9·H·W·Cin·Cout
      (H×W is the block's output; normalisation and shortcuts left out)

      \(table.text)
      """
  }

  private static func size(_ shape: FeatureShape, _ separator: String) -> String {
    [shape.channels, shape.height, shape.width].map(String.init).joined(separator: separator)
  }
}
