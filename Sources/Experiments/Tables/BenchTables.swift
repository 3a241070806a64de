import Layers

/// Timings as `experiment bench` shows them to people.
package enum BenchTables {
  /// operators.csv for people, and what its columns mean.
  package static func text(_ rows: [OperatorRow], threads: Int, _ machine: MachineRecord) -> String {
    typealias Column = Experiments.Column<OperatorRow>
    let peak = machine.peakGflopsPerThread * Double(threads)
    func measured(_ name: String, _ cell: @escaping (OperatorRow) -> String) -> Column {
      Column(name) { $0.refusal == nil ? cell($0) : nil }
    }
    let table = TextTable(
      rows,
      [
        Column("problem") { $0.problem }, Column("kernel") { $0.kernel },
        Column("algorithm") { $0.algorithm }, Column("pass") { $0.pass.rawValue },
        Column("ms") { $0.refusal?.status ?? Cell.fixed($0.times.median, decimals: 3) },
        measured("± mad") { Cell.fixed($0.times.deviation, decimals: 3) },
        measured("min ms") { Cell.fixed($0.times.milliseconds.min(), decimals: 3) },
        measured("GFLOP/s") { Cell.fixed($0.gflops, decimals: 1) },
        measured("peak %") { Cell.fixed(100 * $0.gflops / peak, decimals: 0) },
        measured("speed-up") { Cell.fixed($0.times.speedup, decimals: 2) },
        measured("error") { $0.errorCell },
      ], left: [0, 1, 2, 3])
    let reasons = rows.compactMap { row in
      row.refusal.map {
        // Some reasons begin with the kernel's name.
        "\(row.problem), \($0.reason.hasPrefix("\(row.kernel): ") ? "" : "\(row.kernel): ")\($0.reason)"
      }
    }.uniqued()
    let perThread = Cell.fixed(machine.peakGflopsPerThread, decimals: 0)
    let notes =
      [
        "ms        median of the rounds, ± their median absolute deviation",
        "peak %    of \(threads) thread\(threads == 1 ? "" : "s") at \(perThread) GFLOP/s, as measured now",
      ]
      + (rows.contains { $0.gflops > peak }
        ? [
          "          above 100: operations are those of the definition; algorithms such as",
          "          winograd, fft or max need fewer",
        ] : []) + [
        "speed-up  standard's time over the kernel's, median of the ratios in the same rounds"
      ]
      + (rows.contains { $0.maxRelativeError != nil }
        ? ["error     largest difference from the definition in Double, relative to its largest value"] : [])
    return table.fitted + "\n\n" + (notes + reasons).joined(separator: "\n")
  }

  /// A model's layers, for people.
  package static func text(_ kernel: String, _ layers: [LayerProfile.Entry]) -> String {
    typealias Column = Experiments.Column<LayerProfile.Entry>
    let total = layers.reduce(0) { $0 + $1.seconds }
    var table = TextTable(
      layers,
      [
        Column("layer") { $0.name },
        Column("input") { "\($0.input.channels)×\($0.input.height)×\($0.input.width)" },
        Column("algorithm") { $0.algorithm ?? "" },
        Column("ms") { Cell.fixed(1000 * $0.seconds, decimals: 3) },
        Column("share %") { Cell.fixed(100 * $0.seconds / total, decimals: 1) },
        Column("GFLOP/s") { Cell.fixed(Double($0.cost.operations) / $0.seconds / 1e9, decimals: 1) },
      ], left: [0, 1, 2])
    table.append(["total", "", "", Cell.fixed(1000 * total, decimals: 3), "100.0", ""])
    return
      "\(kernel): each layer includes the normalisation, residual and ReLU done while its output is stored\n\n"
      + table.fitted
  }
}
