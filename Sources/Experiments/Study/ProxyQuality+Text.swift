import Foundation
import Tensors

extension ProxyQuality {
  /// Reads a networks.csv, and the training.csv beside it if there is one.
  package init(file path: String) throws {
    let table = try CSVTable(file: path)
    guard table.columns.contains("kernel"), table.columns.contains("top1_mean") else {
      throw WorkbenchError(
        "\(path) is not a table of trained networks; give the networks.csv of a run or a sweep.")
    }
    let training = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(
      "training.csv"
    ).path
    let exists = FileManager.default.fileExists(atPath: training)
    self.init(table.rows, training: exists ? try CSVTable(file: training, limit: 1 << 30).rows : [])
    guard rows.contains(where: { $0.tau.isFinite }) else {
      throw WorkbenchError(
        "\(path) has no set of three networks with an accuracy and something to rank them by; train more of them."
      )
    }
  }

  /// The tables for people, each at most 80 characters wide where names are short, a part for each set.
  package var text: String {
    let sets = grouped(rows.compactMap(\.set), by: Self.setColumns)
    let parts = sets.map { key, cells in part("\(key):", rows.filter { $0.set == cells[0] }, cells[0]) }
    let means = rows.filter { $0.set == nil }
    return (parts + (means.isEmpty ? [] : [part("The mean over the sets:", means, nil)])).joined(
      separator: "\n\n")
  }

  private func part(_ title: String, _ rows: [Row], _ set: [String: String]?) -> String {
    typealias Column = Experiments.Column<Row>
    func column(_ name: String, _ measure: Measure) -> Column {
      Column(name) { $0.estimates[measure].flatMap(Self.text) }
    }
    let name = Column("proxy") { $0.proxy }, own = ceilings.filter { $0.set == set }
    let shown = rows.filter { $0.count > 0 } + own
    func table(_ columns: [Column]) -> String { TextTable(shown, [name] + columns).text(within: 80) }
    var parts = [
      title,
      table([
        Column("networks") { $0.count }, column("Kendall's τ", .tau), column("Spearman's ρ", .rho),
      ]),
    ]
    if rows.contains(where: { $0.estimates[.topShare]?.value.isFinite == true }) {
      parts += [
        "With parameters and MACs partialled out, and within quarters of the networks:",
        table([
          column("partial τ", .partialTau), column("τ, same params", .tauWithinParams),
          column("τ, same MACs", .tauWithinMACs),
        ]),
        "At the top: τ within the best tenth, and the share of it that is found:",
        table([
          column("τ, best tenth", .topTau), column("share found", .topShare),
        ]),
      ]
    }
    let favours = operators.filter { $0.set == set }
    guard !favours.isEmpty else { return parts.joined(separator: "\n\n") }
    return
      (parts + [
        "How many percentiles too high each proxy ranks the networks with an operator\n(in brackets where the interval has 0 in it, or there is none):",
        Self.matrix(favours),
      ]).joined(separator: "\n\n")
  }

  /// Proxies × operators.
  private static func matrix(_ favours: [OperatorBias]) -> String {
    let kernels = favours.map(\.kernel).uniqued(), proxies = favours.map(\.proxy).uniqued()
    typealias Column = Experiments.Column<String>
    let columns = kernels.map { kernel in
      Column(kernel) { proxy in
        favours.first { $0.proxy == proxy && $0.kernel == kernel }.map { bias in
          let text = Cell.fixed(bias.difference, decimals: 0),
            signed = bias.difference > 0 ? "+\(text)" : text
          return bias.interval?.contains(0) == false ? signed : "(\(signed))"
        }
      }
    }
    return TextTable(proxies, [Column("proxy") { $0 }] + columns).text(within: 80)
  }

  /// `0.52 (0.45 to 0.58)`; nil of a number that is none.
  private static func text(_ estimate: Estimate) -> String? {
    let value = Cell.fixed(estimate.value, decimals: 2)
    guard !value.isEmpty else { return nil }
    let interval = estimate.interval.map {
      " (\(Cell.fixed($0.lowerBound, decimals: 2))…\(Cell.fixed($0.upperBound, decimals: 2)))"
    }
    return value + (interval ?? "")
  }
}
