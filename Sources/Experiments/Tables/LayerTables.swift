import Layers
import Networks

/// A model's layers and what bottlenecks save, as `experiment describe` shows them.
package enum LayerTables {
  /// A layer, or the sum of all where there is none.
  private typealias Row = (layer: LayerSummary?, cost: Cost)
  private typealias Column = Experiments.Column<Row>

  private static func rows(_ layers: [LayerSummary]) -> [Row] {
    layers.map { ($0, $0.cost) } + [(nil, layers.reduce(Cost()) { $0 + $1.cost })]
  }

  /// What says which layer it is, with the extents of its output joined by `separator`.
  private static func words(_ separator: String) -> [Column] {
    [
      Column("layer") { $0.layer?.name ?? "total" }, Column("type") { $0.layer?.type ?? "" },
      Column("kernel") { $0.layer?.kernel ?? "" },
      Column("output") { row in
        let shape = row.layer.map { [$0.output.channels, $0.output.height, $0.output.width] } ?? []
        return shape.map(String.init).joined(separator: separator)
      },
    ]
  }

  /// The file: a row for each layer, the last for the total.
  package static func csv(_ layers: [LayerSummary]) -> CSVTable {
    CSVTable(
      rows(layers),
      words("x") + [
        Column("params") { $0.cost.parameters }, Column("macs") { $0.cost.macs },
        Column("adds") { $0.cost.adds }, Column("other_ops") { $0.cost.otherOps },
      ])
  }

  /// The same for people.
  package static func text(_ layers: [LayerSummary]) -> String {
    TextTable(
      rows(layers),
      words("×") + [
        Column("params") { Cell.grouped($0.cost.parameters) }, Column("MACs") { Cell.grouped($0.cost.macs) },
        Column("adds") { Cell.grouped($0.cost.adds) }, Column("other") { Cell.grouped($0.cost.otherOps) },
      ], left: [0, 1, 2, 3]
    ).fitted
  }

  /// Both forms of the layers that merge branches in inference: columns of the branches, then of what they are merged into.
  package static func formsCSV(_ layers: [LayerSummary]) -> CSVTable {
    typealias Row = (name: String, forms: LayerSummary.Forms)
    let costs: [(String, (Cost) -> Int)] = [
      ("params", { $0.parameters }), ("macs", { $0.macs }), ("adds", { $0.adds }),
      ("other_ops", { $0.otherOps }),
    ]
    return CSVTable(
      layers.compactMap { layer in layer.forms.map { (layer.name, $0) } },
      [Experiments.Column<Row>("layer") { $0.name }]
        + costs.map { name, count in Experiments.Column<Row>(name) { count($0.forms.branches) } }
        + costs.map { name, count in Experiments.Column<Row>("merged_\(name)") { count($0.forms.merged) } })
  }

  /// Both forms of the layers that merge branches in inference, for people; nil where there are none.
  package static func forms(_ layers: [LayerSummary]) -> String? {
    typealias Row = (name: String, forms: LayerSummary.Forms)
    let rows: [Row] = layers.compactMap { layer in layer.forms.map { (layer.name, $0) } }
    guard !rows.isEmpty else { return nil }
    let table = TextTable(
      rows,
      [
        Experiments.Column<Row>("layer") { $0.name },
        Experiments.Column<Row>("params") { Cell.grouped($0.forms.branches.parameters) },
        Experiments.Column<Row>("merged") { Cell.grouped($0.forms.merged.parameters) },
        Experiments.Column<Row>("MACs") { Cell.grouped($0.forms.branches.macs) },
        Experiments.Column<Row>("merged") { Cell.grouped($0.forms.merged.macs) },
        Experiments.Column<Row>("adds") { Cell.grouped($0.forms.branches.adds) },
        Experiments.Column<Row>("merged") { Cell.grouped($0.forms.merged.adds) },
        Experiments.Column<Row>("other") { Cell.grouped($0.forms.branches.otherOps) },
        Experiments.Column<Row>("merged") { Cell.grouped($0.forms.merged.otherOps) },
      ])
    return """
      Branches in training, and what they are merged into for inference
      (the table above counts parameters of the former, operations of the latter)

      \(table.fitted)
      """
  }

  /// What bottlenecks save, for people.
  package static func text(_ savings: [BottleneckSaving]) -> String {
    typealias Column = Experiments.Column<BottleneckSaving>
    let table = TextTable(
      savings,
      [
        Column("block") { $0.block }, Column("H×W") { "\($0.height)×\($0.width)" },
        Column("Cin") { $0.inputs }, Column("Cmid") { $0.inner }, Column("Cout") { $0.outputs },
        Column("params") { Cell.grouped($0.parameters) },
        Column("plain") { Cell.grouped($0.plainParameters) },
        Column("MACs") { Cell.grouped($0.macs) }, Column("plain") { Cell.grouped($0.plainMACs) },
        Column("saved %") { Cell.fixed(100 * (1 - Double($0.macs) / Double($0.plainMACs)), decimals: 1) },
      ])
    let groups = savings.first.map { $0.groups > 1 ? "/\($0.groups)" : "" } ?? ""
    return """
      What the bottlenecks save: H·W·(Cin·Cmid + 9·Cmid²\(groups) + Cmid·Cout) MACs beside a plain 3×3's 9·H·W·Cin·Cout
      (H×W is the block's output; normalisation and shortcuts left out)

      \(table.fitted)
      """
  }
}
