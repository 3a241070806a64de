import Layers
import Tensors

/// DeepLab v3 (Chen et al., 2017, arXiv:1706.05587), torchvision's without the auxiliary head.
///
/// A ResNet whose last two strides are replaced by dilations, then parallel dilated convolutions; the logits are
/// interpolated bilinearly to the image's size: `[batch, height, width, classes]`.
enum DeepLab {
  static let family = ModelFamily(
    name: "DeepLab", source: "Chen et al., 2017, arXiv:1706.05587; torchvision's, no auxiliary head",
    models: [
      Model(
        "deeplabv3_resnet50", extent: 520, classes: 21, classifier: "classifier.4.bias", isDense: true,
        printedName: "DeepLabV3", body: body)
    ])

  private static let width = 256

  private static func body(_ net: NetworkBuilder) throws -> any Layer {
    var backbone = ResNets.large(
      "resnet50", .bottleneck, [3, 4, 6, 3], inputChannels: net.description.inputChannels, classes: 1)
    backbone.dilatedStages = [3, 4]
    let features = try ResidualBuilder(backbone, net["backbone"]).features()
    let head = net["classifier"]
    return Resized(
      Sequential([
        ("backbone", Sequential(features, printedName: "IntermediateLayerGetter")),
        (
          "classifier",
          Sequential(
            [
              ("0", try pyramid(head["0"], 2048)),
              try head.convolution("1", width, width, window: 3, start: .pyTorch),
              ("2", BatchNormalization(channels: width)), ("3", ReLU()),
              try head.convolution("4", width, net.description.classes, bias: true, start: .pyTorch),
            ], printedName: "DeepLabHead")
        ),
      ]))
  }

  /// Atrous spatial pyramid pooling: 1×1, three rates and the image's mean in parallel, then 1×1.
  private static func pyramid(_ net: NetworkBuilder, _ inputs: Int) throws -> any Layer {
    let convolutions = net["convs"]
    func activated(_ convolution: NamedLayer) -> [NamedLayer] {
      let first = Int(convolution.name) ?? 0
      return [
        convolution, ("\(first + 1)", BatchNormalization(channels: width)), ("\(first + 2)", ReLU()),
      ]
    }
    let pooled = Sequential(
      [("0", AdaptiveAveragePooling())]
        + activated(try convolutions["4"].convolution("1", inputs, width, start: .pyTorch)),
      printedName: "ASPPPooling")
    let branches: [NamedLayer] =
      [("0", Sequential(activated(try convolutions["0"].convolution("0", inputs, width, start: .pyTorch))))]
      + (try zip(["1", "2", "3"], [12, 24, 36]).map { name, rate in
        let dilated = try convolutions[name].convolution(
          "0", inputs, width, window: 3, dilation: rate, start: .pyTorch)
        return (name, Sequential(activated(dilated), printedName: "ASPPConv"))
      }) + [("4", Resized(pooled))]
    let projection = try net["project"].convolution("0", branches.count * width, width, start: .pyTorch)
    return Sequential(
      [
        ("convs", Branches(branches, join: .concatenation, printedName: "ModuleList")),
        ("project", Sequential(activated(projection) + [net["project"].dropout("3", 0.5)])),
      ], printedName: "ASPP")
  }
}
