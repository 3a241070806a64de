import Layers
import Tensors

/// A model in the list: its name, and the images and classes that it was designed for.
package struct Model: Sendable {
  /// The name on the command line.
  package let name: String
  /// An image that it was designed for.
  package let input: FeatureShape
  /// The classes that it was made for, or the values in a regression.
  package let classes: Int
  /// Its description for images of some channels, and some classes.
  let describe: @Sendable (_ inputChannels: Int, _ classes: Int) -> any ModelDescription

  /// A model for square images.
  init(
    _ name: String, extent: Int, channels: Int = 3, classes: Int,
    describe: @escaping @Sendable (_ inputChannels: Int, _ classes: Int) -> any ModelDescription
  ) {
    self.name = name
    input = FeatureShape(batch: 1, height: extent, width: extent, channels: channels)
    self.classes = classes
    self.describe = describe
  }

  /// A model that its name describes.
  init(
    _ name: String, extent: Int = 224, classes: Int = 1000, classifier: String = "fc.bias",
    isDense: Bool = false, hasPenalties: Bool = false, revision: Int = 1, printedName: String,
    body: @escaping @Sendable (NetworkBuilder) throws -> any Layer
  ) {
    self.init(name, extent: extent, classes: classes) { inputChannels, classes in
      FixedDescription(
        name: name, inputChannels: inputChannels, classes: classes, classifier: classifier, isDense: isDense,
        printedName: printedName, hasPenalties: hasPenalties, revision: revision, body: body)
    }
  }
}

/// Models of one kind.
package struct ModelFamily: Sendable {
  /// The name of the family.
  package let name: String
  /// Their source.
  package let source: String
  /// The models, small ones first.
  package let models: [Model]
}

/// Models by name.
package enum Models {
  /// The main job's model: a bottleneck network of 20 layers for images of 8×8 to 32×32.
  package static let standard = "bottleneck20"

  /// All models, by family.
  package static let families =
    ResNets.families + [
      ShiftResNet.family, AdderNet.family, SqueezeNet.family, MobileNet.family, GoogLeNet.family,
      Xception.family, DeepLab.family, MeanSpot.family,
    ]

  private static let all = families.flatMap(\.models)

  /// All names.
  package static let names = all.map(\.name)

  private static func model(_ name: String) -> Model? { all.first { $0.name == name } }

  /// The images that a model was made for, one of them.
  package static func input(_ name: String) -> FeatureShape {
    model(name)?.input ?? FeatureShape(batch: 1, height: 224, width: 224, channels: 3)
  }

  /// The classes that a model was made for, or the values in a regression.
  package static func classes(_ name: String) -> Int { model(name)?.classes ?? 1000 }

  /// The description of a model; an error that lists the names if there is none.
  package static func description(_ name: String, inputChannels: Int, classes: Int) throws
    -> any ModelDescription
  {
    guard let model = model(name) else {
      throw WorkbenchError(
        "There is no model ‘\(name)’; \(suggestion(for: name, among: names, shownBy: "experiment list"))")
    }
    return model.describe(inputChannels, classes)
  }
}
