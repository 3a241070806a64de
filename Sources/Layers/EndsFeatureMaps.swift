/// A layer after which there are no feature maps: the places of its outputs are not those of pixels.
package protocol EndsFeatureMaps: Layer {
  /// Whether it pools the feature maps; else it reads them whole.
  var isPooling: Bool { get }
}
