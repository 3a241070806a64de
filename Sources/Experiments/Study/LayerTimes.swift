import Layers
import Networks
import Tensors

/// The time of one layer of a network in inference: a row of layers.csv.
package struct LayerTime: TimedRow, Sendable {
  /// The item of `--conv` that the network was built with.
  package let kernel: String
  /// The layer's path, for example `layer1.0.conv2`; what follows it is done while its output is stored.
  package let layer: String
  /// Its input.
  package let input: FeatureShape
  /// What computes it, where there is a choice.
  package let algorithm: String?
  /// Its median time.
  package var times = RowTimes()

  private enum CodingKeys: CodingKey { case kernel, layer, input, algorithm }

  /// The rows of a profile.
  package static func rows(_ kernel: String, _ layers: [LayerProfile.Entry]) -> [LayerTime] {
    layers.map {
      LayerTime(
        kernel: kernel, layer: $0.name, input: $0.input, algorithm: $0.algorithm,
        times: RowTimes(milliseconds: [1000 * $0.seconds]))
    }
  }
}

extension Network {
  /// The layers of each network in inference: of 11 passes, the median time of each layer. The networks take turns, and
  /// each first runs once untimed, so that every pass finds the same caches.
  static func profiles(_ networks: [Network], _ images: Tensor, _ context: Context) throws
    -> [[LayerProfile.Entry]]
  {
    var passes: [[LayerProfile]] = networks.map { _ in [] }
    for _ in 0..<11 {
      for (index, network) in networks.enumerated() {
        try Cancellation.check()
        _ = network.forward(images, context)
        let profile = LayerProfile(context)
        var observed = context
        observed.observer = profile.observer()
        _ = network.forward(images, observed)
        passes[index].append(profile)
      }
    }
    return passes.map(LayerProfile.medians)
  }
}

extension CSVTable {
  /// layers.csv: a row for each layer, in the order in which they run.
  ///
  /// - Parameter data: what the images are, if they are those of a data set.
  package init(layers: [LayerTime], of model: any ModelDescription, data: String = "", threads: Int) {
    typealias Column = Experiments.Column<LayerTime>
    let shared: [Column] = Column.shared([
      ("model", model.name), ("replace", model.replacement.rawValue), ("data", data),
    ])
    let own = [
      Column("kernel") { $0.kernel }, Column("layer") { $0.layer }, Column("batch") { $0.input.batch },
      Column("c_in") { $0.input.channels }, Column("h") { $0.input.height }, Column("w") { $0.input.width },
      Column("algorithm") { $0.algorithm }, Column("ms") { Cell.number($0.times.median) },
      Column("threads") { _ in threads },
    ]
    self.init(layers, shared + own)
  }
}
