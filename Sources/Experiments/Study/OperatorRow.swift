import Foundation
import Kernels
import Layers
import Tensors

/// What is timed.
public enum TimedPass: String, Sendable, CaseIterable {
  /// The output alone, as in inference.
  case forward
  /// The gradients to input and parameters, for an output already computed.
  case backward
  /// Both, as in a step of training.
  case training

  /// What it costs.
  func cost(of layer: any Layer, _ input: FeatureShape) throws -> Cost {
    switch self {
    case .forward: try layer.cost(for: input, pass: .inference)
    case .backward: try layer.cost(for: input, pass: .backward)
    case .training: try layer.trainingCost(for: input)
    }
  }
}

/// One row of operators.csv.
public struct OperatorRow: Sendable {
  /// The item of `--conv`.
  public let kernel: String
  /// The algorithm: where it was chosen by shape, the one that was chosen.
  public var algorithm: String
  /// What was timed.
  public let pass: TimedPass
  /// The row's key: a problem string, or a model's name and input.
  public let problem: String
  /// The layer's geometry; nil for a whole network.
  public let geometry: ConvolutionGeometry?
  /// The input; nil where the problem could not be read.
  public let input: FeatureShape?
  /// The operations of this pass.
  public let cost: Cost
  /// Milliseconds of each round; empty if there is no time.
  public let milliseconds: [Double]
  /// The median over rounds of standard's time over this one's.
  public let speedup: Double
  /// The largest difference from the reference, relative to its largest value.
  public var maxRelativeError: Double?
  /// Why there is no time, if there is none.
  public let refusal: Refusal?

  /// Why there is no time.
  public enum Refusal: Sendable {
    /// The kernel or algorithm cannot serve this shape.
    case refused(String)
    /// Problems of this kind are not offered.
    case unsupported(String)

    /// The sentence.
    public var reason: String {
      switch self {
      case .refused(let reason), .unsupported(let reason): reason
      }
    }
    /// The word in the table.
    public var status: String {
      switch self {
      case .refused: "refused"
      case .unsupported: "unsupported"
      }
    }
  }

  /// Billions of operations a second, by the median; NaN without a time.
  public var gflops: Double { Double(cost.operations) / Statistics.median(milliseconds) / 1e6 }

  /// A row without a time.
  static func refused(
    _ kernel: String, _ algorithm: String, _ pass: TimedPass, _ problem: String, _ refusal: Refusal,
    geometry: ConvolutionGeometry? = nil, input: FeatureShape? = nil
  ) -> OperatorRow {
    OperatorRow(
      kernel: kernel, algorithm: algorithm, pass: pass, problem: problem, geometry: geometry, input: input,
      cost: Cost(), milliseconds: [], speedup: .nan, refusal: refusal)
  }
}

extension CSVTable {
  /// operators.csv: one row per kernel × shape × algorithm × pass.
  public init(operators rows: [OperatorRow], threads: Int, _ machine: MachineRecord) {
    self.init(columns: [
      "kernel", "algorithm", "pass", "problem", "batch", "c_in", "c_out", "h", "w", "kh", "kw", "stride",
      "padding", "dilation", "groups", "threads", "params", "macs", "adds", "other_ops", "bytes", "runs",
      "time_ms_min", "time_ms_median", "time_ms_mad", "gflops", "peak_fraction", "bandwidth_fraction",
      "speedup_vs_standard", "max_rel_error", "status", "reason",
    ])
    for row in rows {
      var cells = [
        "kernel": row.kernel, "algorithm": row.algorithm, "pass": row.pass.rawValue, "problem": row.problem,
        "threads": "\(threads)", "status": row.refusal?.status ?? "ok", "reason": row.refusal?.reason ?? "",
      ]
      if let input = row.input {
        cells.merge([
          "batch": "\(input.batch)", "c_in": "\(input.channels)", "h": "\(input.height)",
          "w": "\(input.width)",
        ]) { $1 }
      }
      if let g = row.geometry {
        cells.merge([
          "c_out": "\(g.outputChannels)", "kh": "\(g.kernel.height)", "kw": "\(g.kernel.width)",
          "stride": g.stride.short, "padding": g.padding.short, "dilation": g.dilation.short,
          "groups": "\(g.groups)",
        ]) { $1 }
      }
      if row.refusal == nil {
        let median = Statistics.median(row.milliseconds)
        cells.merge([
          "params": "\(row.cost.parameters)", "macs": "\(row.cost.macs)", "adds": "\(row.cost.adds)",
          "other_ops": "\(row.cost.otherOps)", "bytes": "\(row.cost.bytes)",
          "runs": "\(row.milliseconds.count)",
          "time_ms_min": Cell.number(row.milliseconds.min()), "time_ms_median": Cell.number(median),
          "time_ms_mad": Cell.number(Statistics.medianAbsoluteDeviation(row.milliseconds)),
          "gflops": Cell.number(row.gflops),
          "peak_fraction": Cell.number(row.gflops / machine.peakGflopsPerThread / Double(threads), digits: 4),
          "bandwidth_fraction": Cell.number(
            Double(row.cost.bytes) / median / 1e6 / machine.bandwidthGBPerSecond, digits: 4),
          "speedup_vs_standard": Cell.number(row.speedup, digits: 4),
          "max_rel_error": Cell.number(row.maxRelativeError, digits: 3),
        ]) { $1 }
      }
      append(cells)
    }
  }
}

extension Pair {
  /// `N` where both extents are equal, else `HxW`.
  var short: String { height == width ? "\(height)" : description }
}

extension Padding {
  /// `N` where all sides are equal.
  var short: String { top == left && top == bottom && top == right ? "\(top)" : description }
}
