import Layers
import Networks
import Tensors

/// The time of one layer of a network in inference: a row of layers.csv.
public struct LayerTime: Sendable {
  /// The item of `--conv` that the network was built with.
  public let kernel: String
  /// The layer's path, for example `layer1.0.conv2`; what follows it is done while its output is stored.
  public let layer: String
  /// Its input.
  public let input: FeatureShape
  /// What computes it, where there is a choice.
  public let algorithm: String?
  /// Its time in the pass with the median time of all layers together, in milliseconds.
  public let milliseconds: Double

  /// The rows of a profile.
  public static func rows(_ kernel: String, _ layers: [LayerProfile.Entry]) -> [LayerTime] {
    layers.map {
      LayerTime(
        kernel: kernel, layer: $0.name, input: $0.input, algorithm: $0.algorithm,
        milliseconds: 1000 * $0.seconds)
    }
  }
}

extension Network {
  /// The layers of a pass of inference: of seven passes, those of the one with the median time.
  func profile(_ images: Tensor, _ context: Context) -> [LayerProfile.Entry] {
    let runs = (0..<7).map { _ -> [LayerProfile.Entry] in
      let profile = LayerProfile()
      var context = context
      context.profile = profile
      _ = forward(images, context)
      return profile.entries
    }
    let ordered = runs.sorted { $0.reduce(0) { $0 + $1.seconds } < $1.reduce(0) { $0 + $1.seconds } }
    return ordered[ordered.count / 2]
  }
}

extension CSVTable {
  /// layers.csv: a row for each layer, in the order in which they run.
  ///
  /// - Parameter data: what the images are, if they are those of a data set.
  public init(layers: [LayerTime], of model: any ModelDescription, data: String = "", threads: Int) {
    self.init(columns: [
      "model", "replace", "data", "kernel", "layer", "batch", "c_in", "h", "w", "algorithm", "ms", "threads",
    ])
    for row in layers {
      append([
        "model": model.name, "replace": model.replacement.rawValue, "data": data, "kernel": row.kernel,
        "layer": row.layer, "batch": "\(row.input.batch)", "c_in": "\(row.input.channels)",
        "h": "\(row.input.height)", "w": "\(row.input.width)", "algorithm": row.algorithm ?? "",
        "ms": Cell.number(row.milliseconds), "threads": "\(threads)",
      ])
    }
  }
}
