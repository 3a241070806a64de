import Tensors

/// Models by name.
public enum Models {
  /// The main job's model: a bottleneck network of 20 layers for images of 8×8 to 32×32.
  public static let standard = "bottleneck20"

  /// All names.
  public static let names = imageNet.map(\.name) + small.map(\.name)

  /// Whether a name is that of a network for small images, of 32×32 or less.
  public static func isSmall(_ name: String) -> Bool { small.contains { $0.name == name } }

  /// The images that a model was made for, one of them.
  public static func input(_ name: String) -> FeatureShape {
    if name == standard { return FeatureShape(batch: 1, height: 8, width: 8, channels: 1) }
    let extent = isSmall(name) ? 32 : 224
    return FeatureShape(batch: 1, height: extent, width: extent, channels: 3)
  }

  /// The classes that a model was made for.
  public static func classes(_ name: String) -> Int { isSmall(name) ? 10 : 1000 }

  /// The description of a model; an error that lists the names if there is none.
  ///
  /// Those for large images are torchvision's, `resnet20` to `resnet110` are He et al.'s (2015, arXiv:1512.03385,
  /// §4.2), number for number; `bottleneck20` to `bottleneck164` are the same family of bottlenecks.
  public static func description(_ name: String, inputChannels: Int, classes: Int) throws
    -> ResidualDescription
  {
    let description =
      if let model = imageNet.first(where: { $0.name == name }) {
        large(model, inputChannels, classes)
      } else if let model = small.first(where: { $0.name == name }) {
        small(model, inputChannels, classes)
      } else {
        throw WorkbenchError("There is no model ‘\(name)’; choose from \(names.joined(separator: ", ")).")
      }
    return description
  }

  /// torchvision's: 7×7 stem, four stages.
  private struct ImageNetModel {
    var name: String
    var block: ResidualDescription.Block
    var counts: [Int]
    var groups = 1
    var widthPerGroup = 64
  }

  private static let imageNet: [ImageNetModel] = [
    .init(name: "resnet18", block: .basic, counts: [2, 2, 2, 2]),
    .init(name: "resnet34", block: .basic, counts: [3, 4, 6, 3]),
    .init(name: "resnet50", block: .bottleneck, counts: [3, 4, 6, 3]),
    .init(name: "resnet101", block: .bottleneck, counts: [3, 4, 23, 3]),
    .init(name: "resnet152", block: .bottleneck, counts: [3, 8, 36, 3]),
    .init(name: "resnext50_32x4d", block: .bottleneck, counts: [3, 4, 6, 3], groups: 32, widthPerGroup: 4),
    .init(name: "wide_resnet50_2", block: .bottleneck, counts: [3, 4, 6, 3], widthPerGroup: 128),
  ]

  /// For images of 32×32: 3×3 stem, three stages of n blocks; 6n + 2 layers, of bottlenecks 9n + 2.
  private static let small: [(name: String, block: ResidualDescription.Block, count: Int)] =
    [20, 32, 44, 56, 110].map { ("resnet\($0)", .basic, ($0 - 2) / 6) }
    + [20, 29, 56, 110, 164].map { ("bottleneck\($0)", .bottleneck, ($0 - 2) / 9) }

  private static func large(_ model: ImageNetModel, _ inputChannels: Int, _ classes: Int)
    -> ResidualDescription
  {
    var description = ResidualDescription(
      name: model.name, block: model.block, stem: .large, stemWidth: 64,
      stages: zip([64, 128, 256, 512], model.counts).enumerated().map {
        .init(width: $0.element.0, count: $0.element.1, stride: $0.offset == 0 ? 1 : 2)
      }, inputChannels: inputChannels, classes: classes)
    description.groups = model.groups
    description.innerWidth = (model.groups * model.widthPerGroup, 64)
    return description
  }

  private static func small(
    _ model: (name: String, block: ResidualDescription.Block, count: Int), _ inputChannels: Int,
    _ classes: Int
  ) -> ResidualDescription {
    ResidualDescription(
      name: model.name, block: model.block, stem: .small, stemWidth: 16,
      stages: [
        .init(width: 16, count: model.count, stride: 1), .init(width: 32, count: model.count, stride: 2),
        .init(width: 64, count: model.count, stride: 2),
      ], shortcut: model.block == .basic ? .padding : .projection, inputChannels: inputChannels,
      classes: classes)
  }
}
