/// AdderNet's residual networks (Chen et al., 2020, arXiv:1912.13200).
///
/// The stem stays a convolution; all other convolutions are adders, those of the shortcuts (option B) too; the
/// classifier is a 1×1 convolution with batch normalisation.
enum AdderNet {
  static let family = ModelFamily(
    name: "AdderNet", source: "Chen et al., 2020, arXiv:1912.13200",
    models: [
      Model("addernet_resnet20", extent: 32, classes: 10) {
        adders(ResNets.small("addernet_resnet20", .basic, count: 3, inputChannels: $0, classes: $1))
      },
      Model("addernet_resnet50", extent: 224, classes: 1000) {
        adders(ResNets.large("addernet_resnet50", .bottleneck, [3, 4, 6, 3], inputChannels: $0, classes: $1))
      },
    ])

  private static func adders(_ residual: ResidualDescription) -> ResidualDescription {
    var description = residual
    description.shortcut = .projection
    description.replacement = .all
    description.head = .normalizedConvolution
    description.ownKernel = "adder"
    return description
  }
}
