import Tensors

extension Dataset {
  /// What a file of weights records about its training data: the name, the image size (`CxHxW`), and the mean and
  /// deviation of each channel, separated by commas.
  package var metadata: [String: String] {
    let shape = train.images.shape
    return [
      "data": name, "input": "\(shape[3])x\(shape[1])x\(shape[2])", "mean": Self.list(normalization.mean),
      "deviation": Self.list(normalization.deviation),
    ]
  }

  private static func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }

  /// A sentence if a file's weights were trained on images with another normalisation.
  package func remark(onNormalizationOf file: borrowing SafetensorsFile) -> String? {
    let own = metadata
    guard let mean = file.metadata["mean"], let deviation = file.metadata["deviation"],
      (mean, deviation) != (own["mean"], own["deviation"])
    else { return nil }
    return "\(file.path) was trained on images normalised by mean \(mean) and deviation \(deviation); "
      + "those of \(name) have mean \(own["mean"] ?? "") and deviation \(own["deviation"] ?? "")."
  }

  /// A sentence if the user's arrays look as if their last axis held the channels.
  package var layoutRemark: String? {
    let shape = train.images.shape, (height, width, channels) = (shape[1], shape[2], shape[3])
    guard name.hasPrefix("npy:"), channels > 4, height > 4, [1, 3, 4].contains(width) else { return nil }
    return "\(name) has images of \(channels) channels of \(height)×\(width) pixels; "
      + "if its last axis holds the channels, save them as array.transpose(0, 3, 1, 2)."
  }
}
