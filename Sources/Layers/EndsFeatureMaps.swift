/// A layer after which there are no feature maps: the positions of its outputs are not those of pixels.
package protocol EndsFeatureMaps: Layer {
  /// Whether it pools the feature maps; otherwise it flattens them.
  var isPooling: Bool { get }
}
