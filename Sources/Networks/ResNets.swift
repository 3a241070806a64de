/// Residual networks.
///
/// Those for large images are torchvision's, `resnet20` to `resnet110` are He et al.'s (2015, arXiv:1512.03385,
/// §4.2), number for number; `bottleneck20` to `bottleneck164` are the same family of bottlenecks.
enum ResNets {
  static let families = [
    ModelFamily(
      name: "ResNet", source: "He et al., 2015, arXiv:1512.03385; torchvision's",
      models: [
        large("resnet18", .basic, [2, 2, 2, 2]), large("resnet34", .basic, [3, 4, 6, 3]),
        large("resnet50", .bottleneck, [3, 4, 6, 3]), large("resnet101", .bottleneck, [3, 4, 23, 3]),
        large("resnet152", .bottleneck, [3, 8, 36, 3]),
        large("resnext50_32x4d", .bottleneck, [3, 4, 6, 3], groups: 32, widthPerGroup: 4),
        large("wide_resnet50_2", .bottleneck, [3, 4, 6, 3], widthPerGroup: 128),
      ]),
    ModelFamily(
      name: "ResNet for small images", source: "He et al., 2015, §4.2: 6n + 2 layers",
      models: [20, 32, 44, 56, 110].map { depth in
        Model("resnet\(depth)", extent: 32, classes: 10) {
          small("resnet\(depth)", .basic, count: (depth - 2) / 6, inputChannels: $0, classes: $1)
        }
      }),
    ModelFamily(
      name: "ResNet with bottlenecks for small images", source: "the same with bottlenecks: 9n + 2 layers",
      models: [20, 29, 56, 110, 164].map { depth in
        // The smallest is the main job's, for the embedded digits.
        Model("bottleneck\(depth)", extent: depth == 20 ? 8 : 32, channels: depth == 20 ? 1 : 3, classes: 10)
        {
          small("bottleneck\(depth)", .bottleneck, count: (depth - 2) / 9, inputChannels: $0, classes: $1)
        }
      }),
  ]

  /// torchvision's: 7×7 stem, four stages.
  private static func large(
    _ name: String, _ block: ResidualDescription.Block, _ counts: [Int], groups: Int = 1,
    widthPerGroup: Int = 64
  ) -> Model {
    Model(name, extent: 224, classes: 1000) {
      var description = large(name, block, counts, inputChannels: $0, classes: $1)
      description.groups = groups
      description.innerWidth = (groups * widthPerGroup, 64)
      return description
    }
  }

  /// For large images: 7×7 stem, four stages.
  static func large(
    _ name: String, _ block: ResidualDescription.Block, _ counts: [Int], inputChannels: Int, classes: Int
  ) -> ResidualDescription {
    ResidualDescription(
      name: name, block: block, stem: .large, stemWidth: 64,
      stages: zip([64, 128, 256, 512], counts).enumerated().map {
        .init(width: $0.element.0, count: $0.element.1, stride: $0.offset == 0 ? 1 : 2)
      }, inputChannels: inputChannels, classes: classes)
  }

  /// For images of 32×32: 3×3 stem, three stages of `count` blocks; basic ones have shortcuts of option A.
  static func small(
    _ name: String, _ block: ResidualDescription.Block, count: Int, inputChannels: Int, classes: Int
  ) -> ResidualDescription {
    ResidualDescription(
      name: name, block: block, stem: .small, stemWidth: 16,
      stages: [16, 32, 64].map { .init(width: $0, count: count, stride: $0 == 16 ? 1 : 2) },
      shortcut: block == .basic ? .padding : .projection, inputChannels: inputChannels, classes: classes)
  }
}
