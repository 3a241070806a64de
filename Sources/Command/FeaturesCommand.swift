import ArgumentParser
import Experiments
import Foundation
import Learning
import Networks
import Tensors

/// `experiment features`: the filters and feature maps of a trained network.
struct FeaturesCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Draw a trained network's first filters, and its feature maps of an image.",
    discussion: """
      Example: swift run experiment train --epochs 2 --save for-features.safetensors && swift run experiment features --weights for-features.safetensors --output out && swift run experiment report out

      The default model is the main job's. Writes grey PNG files, with one scale for all maps of a layer, and \
      features.csv; experiment report shows them.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(help: .kernel)
  var conv: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(help: ArgumentHelp("The trained weights.", valueName: "file.safetensors"))
  var weights: String
  @Option(help: ArgumentHelp("\(Dataset.choices); its test images.", valueName: "data"))
  var data = "digits"
  @Option(help: ArgumentHelp("Which image, counted from 0.", valueName: "n"))
  var image = 0
  @Option(
    help: ArgumentHelp(
      "Layers, separated by commas, such as layer2.1.conv2 (default: the last layer of each feature-map size).",
      valueName: "names"))
  var layers: String?
  @Option(help: ArgumentHelp("The folder for features.csv and features/.", valueName: "dir"))
  var output = "experiment-output"
  @OptionGroup
  var threads: ThreadOption
  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    if output.isEmpty { throw ValidationError("--output is empty; give a folder.") }
  }

  func run() throws {
    let data = try loadData(data), images = data.test.images
    guard let one = images.image(image) else {
      throw WorkbenchError("There is no image \(image); choose one from 0 to \(images.shape[0] - 1).")
    }
    let network = try variations.network(
      model.name ?? Models.standard, conv, inputChannels: images.shape[3], classes: data.classes, seed: 0)
    _ = try network.outputShape(for: FeatureShape(one))
    try load(weights, into: network, data: data)
    let maps = try FeatureMaps(
      of: network, one, layers: layers?.split(separator: ",").map(String.init), threads: threads.count)
    let shared = [
      ("model", network.model.name), ("kernel", network.kernel), ("data", data.name),
      ("image", "\(image)"),
    ]
    try maps.write(to: output, shared)
    let table = maps.table(shared)
    printing.show(
      "\(table.featuresText)\n\nPictures: \(output)/features; on a page: experiment report \(output)",
      ["features": table])
  }
}
