import Kernels
import Networks

/// Predicts how long a network of several kernels takes for one image, from networks of one kernel each.
///
/// ms = constant + Σ over blocks of the time that the block takes with its kernel. Blocks are timed where they stand, layer
/// by layer, in the network whose blocks all have that kernel; the constant, what is outside the blocks, is the median over
/// these networks of what their whole time is beyond their blocks'.
struct LatencyModel {
  /// The predicted milliseconds of each network whose kernels were all timed, by its item.
  let predictions: [String: Double]
  /// The median over networks that the model was not made from of how far it is off, in percent, and their number; nil
  /// where none was timed.
  let error: (percent: Double, networks: Int)?

  /// Makes a model; nil if no network of one kernel was timed.
  ///
  /// - Parameters:
  ///   - kernels: the networks whose times are wanted.
  ///   - layers: of networks of one kernel.
  ///   - networks: timed networks, of one kernel and of several.
  init?(_ model: ResidualDescription, _ kernels: [KernelChoice], layers: [LayerTime], networks: [NetworkRow])
  {
    // The milliseconds of blocks such as `layer1.0`, by the item of their kernel.
    var blocks: [String: [String: Double]] = [:]
    for layer in layers {
      let names = layer.layer.split(separator: ".")
      guard names.count > 2, names[0].hasPrefix("layer") else { continue }
      blocks[layer.kernel, default: [:]]["\(names[0]).\(names[1])", default: 0] += layer.times.median
    }
    func sum(_ choice: KernelChoice) -> Double? {
      guard let stages = try? model.kernels(choice) else { return nil }
      var sum = 0.0
      for (stage, kernels) in zip(1..., stages) {
        for (block, kernel) in kernels.enumerated() {
          guard let own = blocks[kernel.item]?["layer\(stage).\(block)"] else { return nil }
          sum += own
        }
      }
      return sum
    }
    let sums = Dictionary(kernels.compactMap { choice in sum(choice).map { (choice.item, $0) } }) {
      first, _ in first
    }
    let times = Dictionary(networks.map { ($0.kernel, $0.times.median) }) { first, _ in first }
      .filter { $0.value.isFinite }
    // Networks of one kernel are those whose layers were timed.
    let rests = Set(blocks.keys).compactMap { item in
      times[item].flatMap { whole in sums[item].map { whole - $0 } }
    }
    guard !rests.isEmpty else { return nil }
    let constant = Statistics.median(rests)
    let predictions = sums.mapValues { $0 + constant }
    let errors = times.compactMap { item, measured -> Double? in
      guard blocks[item] == nil, let predicted = predictions[item] else { return nil }
      return 100 * abs(predicted - measured) / measured
    }
    self.predictions = predictions
    error = errors.isEmpty ? nil : (percent: Statistics.median(errors), networks: errors.count)
  }
}
