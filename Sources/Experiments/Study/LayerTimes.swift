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
  /// Its time in the pass with the median time of all layers together.
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
  /// The layers of a pass of inference of each network: of seven passes, in turns, those of the one with the median time.
  static func profiles(_ networks: [Network], _ images: Tensor, _ context: Context) throws
    -> [[LayerProfile.Entry]]
  {
    var passes: [[[LayerProfile.Entry]]] = networks.map { _ in [] }
    for _ in 0..<7 {
      for (index, network) in networks.enumerated() {
        try Cancellation.check()
        let profile = LayerProfile()
        var observed = context
        observed.observer = profile.observer(context)
        _ = network.forward(images, observed)
        passes[index].append(profile.entries)
      }
    }
    return passes.map { passes in
      let ordered = passes.sorted { $0.reduce(0) { $0 + $1.seconds } < $1.reduce(0) { $0 + $1.seconds } }
      return ordered[ordered.count / 2]
    }
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
