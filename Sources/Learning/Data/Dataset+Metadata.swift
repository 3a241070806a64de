import Tensors

extension Dataset {
  /// What a file of weights says of the data that they were trained on: its name, an image's extents (`CxHxW`), and what
  /// was subtracted from its channels and what they were divided by then, separated by commas.
  package var metadata: [String: String] {
    let shape = train.images.shape
    return [
      "data": name, "input": "\(shape[3])x\(shape[1])x\(shape[2])", "mean": Self.list(normalization.mean),
      "deviation": Self.list(normalization.deviation),
    ]
  }

  private static func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }

  /// A sentence where a file's weights were trained on images that were normalised otherwise.
  package func remark(onNormalizationOf file: borrowing SafetensorsFile) -> String? {
    let own = metadata
    guard let mean = file.metadata["mean"], let deviation = file.metadata["deviation"],
      (mean, deviation) != (own["mean"], own["deviation"])
    else { return nil }
    return "\(file.path) was trained on images normalised by mean \(mean) and deviation \(deviation); "
      + "those of \(name) have mean \(own["mean"] ?? "") and deviation \(own["deviation"] ?? "")."
  }

  /// A sentence where the user's own arrays look as if their last axis held the channels.
  package var layoutRemark: String? {
    let shape = train.images.shape, (height, width, channels) = (shape[1], shape[2], shape[3])
    guard name.hasPrefix("npy:"), channels > 4, height > 4, [1, 3, 4].contains(width) else { return nil }
    return "\(name) has images of \(channels) channels of \(height)×\(width) pixels; "
      + "if its last axis holds the channels, save them as array.transpose(0, 3, 1, 2)."
  }
}
