import ArgumentParser
import Experiments
import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// `experiment offsets`: where a trained deformable network reads.
struct OffsetsCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "offsets",
    abstract: "Show where a trained layer with learned positions reads an image.",
    discussion: """
      Example: mkdir -p out && swift run experiment train --conv deformable --epochs 2 --save out/net.safetensors && swift run experiment offsets --weights out/net.safetensors --csv out/offsets.csv && swift run experiment report out

      The default model is the main job's. Positions are given for the centre and two other pixels of the \
      layer's output, in the coordinates of its input and of the image. The image is written to offsets-image.csv.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(help: ArgumentHelp("A kernel with learned positions, with its options.", valueName: "name"))
  var conv = "deformable"
  @Option(help: ArgumentHelp("The trained weights.", valueName: "file.safetensors"))
  var weights: String
  @Option(help: ArgumentHelp("\(Dataset.choices); its test images.", valueName: "data"))
  var data: String?
  @Option(help: ArgumentHelp("Images instead of data, NCHW, normalised.", valueName: "x.npy"))
  var input: String?
  @Option(help: ArgumentHelp("Which image, counted from 0.", valueName: "n"))
  var image = 0
  @Option(
    help: ArgumentHelp(
      "The layer, such as layer2.1.conv2 (default: the last such layer with an output of at least 4×4 pixels).",
      valueName: "name"))
  var layer: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @OptionGroup
  var threads: ThreadOption
  @Option(
    help: ArgumentHelp("The file for the rows; the image is written next to it.", valueName: "file.csv")
  )
  var csv: String

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    guard data == nil || input == nil else { throw ValidationError("Give --data or --input, not both.") }
  }

  func run() throws {
    try AtomicFile.checkFolder(of: csv)
    let source = input ?? data ?? "digits"
    let data = try input == nil ? loadData(source) : nil
    let images = try data?.test.images ?? LogitsCommand.images(source).images
    guard let one = images.image(image) else {
      throw WorkbenchError("There is no image \(image); choose one from 0 to \(images.shape[0] - 1).")
    }
    let model = model.name ?? Models.standard
    let network = try variations.network(
      model, conv, inputChannels: images.shape[3], classes: classesOfFile(weights, of: model), seed: 0)
    _ = try network.outputShape(for: FeatureShape(one))
    try load(weights, into: network, data: data)
    let offsets = try LayerOffsets(of: network, one, layer: layer, threads: threads.count)
    let description = network.model
    let table = CSVTable(
      offsets: [(conv, offsets)],
      [
        ("model", description.name), ("replace", description.replacement.rawValue), ("data", source),
        ("image", "\(image)"),
      ])
    try CSVTable(image: one, data: source, number: image).write(to: Self.imagePath(csv))
    try table.write(to: csv)
    printing.show("\(offsets.layer)\n\n\(table.offsetsText)", ["offsets": table])
  }

  /// `offsets-image.csv` for `offsets.csv`.
  private static func imagePath(_ csv: String) -> String {
    (csv.hasSuffix(".csv") ? String(csv.dropLast(4)) : csv) + "-image.csv"
  }
}
