import Tensors

/// Models by name.
public enum Models {
  /// The main job's model: a bottleneck network of 20 layers for images of 8×8 to 32×32.
  public static let standard = "bottleneck20"

  /// All names.
  public static let names = [
    "bottleneck20", "resnet20", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
  ]

  /// The images that a model was made for, one of them.
  public static func input(_ name: String) -> FeatureShape {
    switch name {
    case "bottleneck20": FeatureShape(batch: 1, height: 8, width: 8, channels: 1)
    case "resnet20": FeatureShape(batch: 1, height: 32, width: 32, channels: 3)
    default: FeatureShape(batch: 1, height: 224, width: 224, channels: 3)
    }
  }

  /// The classes that a model was made for.
  public static func classes(_ name: String) -> Int {
    ["bottleneck20", "resnet20"].contains(name) ? 10 : 1000
  }

  /// The description of a model; an error that lists the names if there is none.
  ///
  /// `resnet18` to `resnet152` are torchvision's, `resnet20` is He et al.'s (§4.2), number for number.
  public static func description(_ name: String, inputChannels: Int, classes: Int) throws
    -> ResidualDescription
  {
    func large(_ block: ResidualDescription.Block, _ counts: [Int]) -> ResidualDescription {
      ResidualDescription(
        name: name, block: block, stem: .large, stemWidth: 64,
        stages: zip([64, 128, 256, 512], counts).enumerated().map {
          .init(width: $0.element.0, count: $0.element.1, stride: $0.offset == 0 ? 1 : 2)
        }, inputChannels: inputChannels, classes: classes)
    }
    switch name {
    case "bottleneck20":
      return ResidualDescription(
        name: name, block: .bottleneck, stem: .small, stemWidth: 16,
        stages: [
          .init(width: 16, count: 2, stride: 1), .init(width: 32, count: 2, stride: 2),
          .init(width: 64, count: 2, stride: 2),
        ], inputChannels: inputChannels, classes: classes)
    case "resnet20":
      return ResidualDescription(
        name: name, block: .basic, stem: .small, stemWidth: 16,
        stages: [
          .init(width: 16, count: 3, stride: 1), .init(width: 32, count: 3, stride: 2),
          .init(width: 64, count: 3, stride: 2),
        ], shortcut: .padding, inputChannels: inputChannels, classes: classes)
    case "resnet18": return large(.basic, [2, 2, 2, 2])
    case "resnet34": return large(.basic, [3, 4, 6, 3])
    case "resnet50": return large(.bottleneck, [3, 4, 6, 3])
    case "resnet101": return large(.bottleneck, [3, 4, 23, 3])
    case "resnet152": return large(.bottleneck, [3, 8, 36, 3])
    default:
      throw WorkbenchError("There is no model ‘\(name)’; choose from \(names.joined(separator: ", ")).")
    }
  }
}
