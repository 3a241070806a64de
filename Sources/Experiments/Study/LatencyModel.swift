import Kernels
import Networks

/// Predicts how long a network of several kernels takes for one image, from networks of one kernel each.
///
/// ms = constant + Σ over blocks of the time that the block takes with its kernel. Blocks are timed where they stand, layer
/// by layer, in the network whose blocks all have that kernel. Clocks between the layers cost time, so the layers of a
/// network are scaled together to its time as a whole. The constant is what is outside the blocks, the median over these
/// networks. A kernel's blocks are then scaled once more, so that the prediction of its own network is the time measured.
struct LatencyModel {
  /// The predicted milliseconds of each network whose kernels were all timed, by its item.
  let predictions: [String: Double]
  /// The predicted milliseconds of a network; nil if one of its kernels was not timed.
  let time: (KernelChoice) -> Double?
  /// The median error in percent over networks that the model was not made from, and their number; nil if none was
  /// timed.
  let error: (percent: Double, networks: Int)?

  /// Makes a model; nil if no network of one kernel was timed.
  ///
  /// - Parameters:
  ///   - model: the networks' model.
  ///   - kernels: the networks whose times are wanted.
  ///   - layers: of networks of one kernel.
  ///   - networks: timed networks, of one kernel and of several.
  init?(_ model: ResidualDescription, _ kernels: [KernelChoice], layers: [LayerTime], networks: [NetworkRow])
  {
    // The milliseconds of blocks such as `layer1.0`, and of what is outside the blocks, by the item of their kernel.
    var blocks: [String: [String: Double]] = [:], outside: [String: Double] = [:]
    for layer in layers {
      let names = layer.layer.split(separator: ".")
      // A block that is merged for inference is one layer, `layer1.0`.
      guard names.count > 1, names[0].hasPrefix("layer") else {
        outside[layer.kernel, default: 0] += layer.times.median
        continue
      }
      blocks[layer.kernel, default: [:]]["\(names[0]).\(names[1])", default: 0] += layer.times.median
    }
    let times = Dictionary(networks.map { ($0.kernel, $0.times.median) }) { first, _ in first }
      .filter { $0.value.isFinite }
    // Networks of one kernel are those whose layers were timed. Their blocks are added in one order, for the same bits.
    let sums = blocks.mapValues { $0.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value } }
    let constants = sums.compactMap { item, sum -> Double? in
      let outside = outside[item] ?? 0
      return sum > 0 ? times[item].map { $0 * outside / (outside + sum) } : nil
    }
    guard !constants.isEmpty else { return nil }
    let constant = Statistics.median(constants)
    for (item, sum) in sums {
      guard let whole = times[item], sum > 0 else { continue }
      // A network that takes less than the constant is a measurement gone wrong; its layers then share its time.
      let own = whole > constant ? whole - constant : whole * sum / (sum + (outside[item] ?? 0))
      blocks[item] = blocks[item]?.mapValues { $0 * (own / sum) }
    }
    func time(_ choice: KernelChoice) -> Double? {
      guard let stages = try? model.kernels(choice) else { return nil }
      var time = constant
      for (stage, kernels) in zip(1..., stages) {
        for (block, kernel) in kernels.enumerated() {
          guard let own = blocks[kernel.item]?["layer\(stage).\(block)"] else { return nil }
          time += own
        }
      }
      return time
    }
    let predictions = Dictionary(kernels.compactMap { choice in time(choice).map { (choice.item, $0) } }) {
      first, _ in first
    }
    let errors = times.compactMap { item, measured -> Double? in
      guard blocks[item] == nil, let predicted = predictions[item] else { return nil }
      return 100 * abs(predicted - measured) / measured
    }
    self.predictions = predictions
    self.time = time
    error = errors.isEmpty ? nil : (percent: Statistics.median(errors), networks: errors.count)
  }
}
