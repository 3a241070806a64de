import Layers
import Tensors

extension Network {
  /// A remark if windows of the chosen kernels are larger than the feature maps of these images, so that some taps
  /// read only padding; nil if all taps reach the image.
  package func reachRemark(for image: FeatureShape) throws -> String? {
    var maps: [(size: String, taps: LayerSummary.Taps)] = []
    for row in try summaries(for: image) where row.kernel != nil {
      guard let taps = row.taps, taps.beyond > 0 else { continue }
      let size = "\(row.output.height)×\(row.output.width)"
      // Among the layers with feature maps of one size, the one that loses most.
      if let index = maps.firstIndex(where: { $0.size == size }) {
        let known = maps[index].taps
        if taps.beyond * known.count > known.beyond * taps.count { maps[index].taps = taps }
      } else {
        maps.append((size, taps))
      }
    }
    guard !maps.isEmpty else { return nil }
    let parts = maps.map { "\($0.taps.beyond) of \($0.taps.count) taps on \($0.size) maps" }
    return
      "Its windows are larger than the feature maps of \(image.height)×\(image.width) images: \(parts.joined(separator: ", ")) read nothing but padding, so these images cannot judge its reach."
  }
}
