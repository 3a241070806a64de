import Foundation
import Kernels
import Layers
import Tensors

/// What is timed.
package enum TimedPass: String, Sendable, Codable, CaseIterable {
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
package struct OperatorRow: TimedRow, Sendable {
  /// The item of `--conv`.
  package let kernel: String
  /// The algorithm: where it was chosen by shape, the one that was chosen; of a composed kernel `auto`.
  package let algorithm: String
  /// What was timed.
  package let pass: TimedPass
  /// The row's key: a problem string, or a model's name and input.
  package let problem: String
  /// What it was timed on; nil where the problem could not be read.
  package let geometry: OperatorPlace?
  /// The operations of this pass.
  package let cost: Cost
  /// The largest difference from the reference, relative to its largest value.
  package var maxRelativeError: Double?
  private let refusalStatus, refusalReason: String?
  /// The times; empty if it was refused.
  package var times = RowTimes()

  private enum CodingKeys: String, CodingKey {
    case kernel, algorithm, pass, problem, geometry, cost, maxRelativeError
    case refusalStatus = "status"
    case refusalReason = "reason"
  }

  /// Why there is no time, if there is none.
  package var refusal: Refusal? {
    refusalReason.map { reason in
      switch refusalStatus {
      case "unsupported": .unsupported(reason)
      case "skipped": .skipped(reason)
      default: .refused(reason)
      }
    }
  }

  /// Why there is no time.
  package enum Refusal: Sendable {
    /// The kernel or algorithm cannot serve this shape.
    case refused(String)
    /// Problems of this kind are not offered.
    case unsupported(String)
    /// It is no operator: kernels of a network, joined by `+`.
    case skipped(String)

    /// The sentence.
    package var reason: String {
      switch self {
      case .refused(let reason), .unsupported(let reason), .skipped(let reason): reason
      }
    }
    /// The word in the table.
    package var status: String {
      switch self {
      case .refused: "refused"
      case .unsupported: "unsupported"
      case .skipped: "skipped"
      }
    }
  }

  /// Billions of operations a second, by the median; NaN without a time.
  package var gflops: Double { Double(cost.operations) / times.median / 1e6 }

  /// A row with its time, or with the reason for having none.
  init(
    _ kernel: String, _ algorithm: String, _ pass: TimedPass, _ problem: String, _ geometry: OperatorPlace?,
    cost: Cost = Cost(), times: RowTimes = RowTimes(), refusal: Refusal? = nil
  ) {
    self.kernel = kernel
    self.algorithm = algorithm
    self.pass = pass
    self.problem = problem
    self.geometry = geometry
    self.cost = cost
    self.times = times
    refusalStatus = refusal?.status
    refusalReason = refusal?.reason
  }
}

/// What an operator was timed on, in plain numbers: a convolution's geometry and input, or the input of a network.
package struct OperatorPlace: Codable, Sendable {
  /// The input.
  package let input: FeatureShape
  /// Channels in and out, and the window's extents, strides and dilations, vertical first.
  package private(set) var channels, kernel, stride, dilation: [Int]?
  /// Top, left, bottom, right.
  package private(set) var padding: [Int]?
  /// Groups of channels.
  package private(set) var groups: Int?

  /// The input of a network.
  init(_ input: FeatureShape) { self.input = input }

  /// A convolution and its input.
  init(_ geometry: ConvolutionGeometry, _ input: FeatureShape) {
    self.input = input
    channels = [geometry.inputChannels, geometry.outputChannels]
    kernel = [geometry.kernel.height, geometry.kernel.width]
    stride = [geometry.stride.height, geometry.stride.width]
    dilation = [geometry.dilation.height, geometry.dilation.width]
    let sides = geometry.padding
    padding = [sides.top, sides.left, sides.bottom, sides.right]
    groups = geometry.groups
  }
}

extension CSVTable {
  /// operators.csv: one row per kernel × shape × algorithm × pass.
  package init(operators rows: [OperatorRow], threads: Int, _ machine: MachineRecord) {
    typealias Column = Experiments.Column<OperatorRow>
    func place(_ name: String, _ cell: @escaping (OperatorPlace) -> (any CustomStringConvertible)?) -> Column
    {
      Column(name) { $0.geometry.flatMap(cell) }
    }
    func measured(_ name: String, _ cell: @escaping (OperatorRow) -> any CustomStringConvertible) -> Column {
      Column(name) { $0.refusal == nil ? cell($0) : nil }
    }
    let key = [
      Column("kernel") { $0.kernel }, Column("algorithm") { $0.algorithm },
      Column("pass") { $0.pass.rawValue },
      Column("problem") { $0.problem },
    ]
    let places = [
      place("batch") { $0.input.batch }, place("c_in") { $0.input.channels },
      place("c_out") { $0.channels?.last }, place("h") { $0.input.height }, place("w") { $0.input.width },
      place("kh") { $0.kernel?.first }, place("kw") { $0.kernel?.last },
      place("stride") { $0.stride.map(Self.short) },
      place("padding") { $0.padding.map(Self.short) },
      place("dilation") { $0.dilation.map(Self.short) }, place("groups") { $0.groups },
    ]
    let results = [
      Column("threads") { _ in threads },
      measured("params") { $0.cost.parameters }, measured("macs") { $0.cost.macs },
      measured("adds") { $0.cost.adds }, measured("other_ops") { $0.cost.otherOps },
      measured("bytes") { $0.cost.bytes }, measured("runs") { $0.times.milliseconds.count },
      measured("time_ms_min") { Cell.number($0.times.milliseconds.min()) },
      measured("time_ms_median") { Cell.number($0.times.median) },
      measured("time_ms_mad") { Cell.number($0.times.deviation) },
      measured("gflops") { Cell.number($0.gflops) },
      measured("peak_fraction") {
        Cell.number($0.gflops / machine.peakGflopsPerThread / Double(threads), digits: 4)
      },
      measured("bandwidth_fraction") {
        Cell.number(Double($0.cost.bytes) / $0.times.median / 1e6 / machine.bandwidthGBPerSecond, digits: 4)
      },
      measured("speedup_vs_standard") { Cell.number($0.times.speedup, digits: 4) },
      measured("max_rel_error") { Cell.number($0.maxRelativeError, digits: 3) },
      Column("status") { $0.status }, Column("reason") { $0.reason },
    ]
    self.init(rows, key + places + results)
  }

  /// `N` where all are equal, `HxW` where opposite sides are.
  private static func short(_ numbers: [Int]) -> String {
    guard Set(numbers).count != 1 else { return "\(numbers[0])" }
    let isPair = numbers.count == 2 || numbers.prefix(2) == numbers.suffix(2)
    return numbers.prefix(isPair ? 2 : 4).map(String.init).joined(separator: isPair ? "x" : ",")
  }
}
