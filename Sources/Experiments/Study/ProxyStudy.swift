import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// The zero-cost proxies of a model with each kernel.
package struct ProxyStudy {
  /// One kernel.
  package struct Row: Sendable {
    /// The item of `--conv`.
    package let kernel: String
    /// What one image costs.
    package let cost: Cost
    /// The values, and why some are missing.
    package let proxies: ProxyValues
    /// Why there is no network, if there is none.
    package let refusal: String?
  }

  /// A row for each kernel.
  package private(set) var rows: [Row] = []
  private let chosen: [Proxy]

  /// Computes the proxies of one network for each kernel.
  ///
  /// - Parameters:
  ///   - seed: what the Zen-score's draws depend on.
  ///   - makeNetwork: a new network with a kernel, `isPlain` without its shortcuts; nil where there is no such.
  package init(
    _ kernels: [KernelChoice], batches: [Minibatch], chosen: [Proxy] = Proxy.standard, seed: UInt64,
    threads: Int, progress: ProgressLine? = nil,
    makeNetwork: (_ kernel: KernelChoice, _ isPlain: Bool) throws -> (any Layer)?
  ) throws {
    self.chosen = chosen
    guard let shape = batches.first?.images.shape else { return }
    let batch = FeatureShape(batch: shape[0], height: shape[1], width: shape[2], channels: shape[3])
    var image = batch
    image.batch = 1
    for kernel in kernels {
      try Cancellation.check()
      progress?.advance(kernel.item)
      do {
        guard let network = try makeNetwork(kernel, false) else { continue }
        _ = try network.outputShape(for: batch)
        let plain =
          chosen.contains(.zen) || chosen.contains(.zenPublished) ? try makeNetwork(kernel, true) : nil
        let values = Proxies.evaluate(
          network, plain: plain, batches: batches, chosen: chosen, random: Random(seed: seed),
          threads: threads)
        rows.append(
          Row(
            kernel: kernel.item, cost: try network.cost(for: image, pass: .inference), proxies: values,
            refusal: nil))
      } catch let error as WorkbenchError {
        rows.append(
          Row(kernel: kernel.item, cost: Cost(), proxies: ProxyValues(), refusal: error.description))
      }
    }
  }

  /// The file: one row per kernel, each with some cells that are the same for all.
  package func table(_ shared: [(column: String, cell: String)]) -> CSVTable {
    typealias Column = Experiments.Column<Row>
    func measured(_ name: String, _ cell: @escaping (Row) -> (any CustomStringConvertible)?) -> Column {
      Column(name) { $0.refusal == nil ? cell($0) : nil }
    }
    let better = chosen.filter(\.isHigherBetter).map(\.rawValue).joined(separator: " ")
    return CSVTable(
      rows,
      [Column("kernel") { $0.kernel }] + Column.shared(shared) + [
        measured("params") { $0.cost.parameters }, measured("macs") { $0.cost.macs },
      ]
        + chosen.map { proxy in
          measured(proxy.rawValue) { $0.proxies.values[proxy].map { Cell.number($0, digits: 7) } }
        } + [
          Column("higher_is_better") { _ in better },
          Column("status") { $0.refusal == nil ? "ok" : "refused" },
          Column("reason") { $0.refusal ?? $0.proxies.note },
        ])
  }

  /// The table for people.
  package var text: String {
    typealias Column = Experiments.Column<Row>
    func measured(_ name: String, _ cell: @escaping (Row) -> String?) -> Column {
      Column(name) { $0.refusal == nil ? cell($0) : nil }
    }
    let table = TextTable(
      rows,
      [
        Column("kernel") { $0.kernel }, measured("params") { Cell.grouped($0.cost.parameters) },
        measured("MACs") { Cell.grouped($0.cost.macs) },
      ]
        + chosen.map { proxy in
          measured(proxy.rawValue + (proxy.isHigherBetter ? " ↑" : " ↓")) {
            $0.proxies.values[proxy].map { Cell.number($0, digits: 5) }
          }
        })
    return
      ([
        table.fitted,
        "\n↑ Higher is meant to be better. docs/proxies.md has the formulas and says how well that holds.",
      ]
      + problems)
      .joined(separator: "\n")
  }

  /// What was refused, and which values are missing, a line each.
  package var problems: [String] {
    rows.compactMap { row in
      if let refusal = row.refusal { return "\(row.kernel) was refused: \(refusal)" }
      return row.proxies.reasons.isEmpty ? nil : "\(row.kernel): \(row.proxies.note)"
    }
  }
}

extension Specification {
  /// The proxies of a network of this job, on random minibatches of its training images.
  func proxies(of network: any Layer, _ choice: KernelChoice) -> ProxyValues {
    let plain = try? Network(model.plain, kernel: choice, standard: standard, seed: 0)
    let batches = Minibatch.draw(
      4, of: 32, from: data.train, random: Random(seed: 0).split("proxies"))
    return Proxies.evaluate(network, plain: plain, batches: batches, threads: threads)
  }
}
