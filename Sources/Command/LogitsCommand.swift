import ArgumentParser
import Foundation
import Layers
import Learning
import Networks
import Tensors

/// `experiment logits`: a model with weights from a file, applied to images.
struct LogitsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logits",
    abstract: "Apply a model with given weights to images.",
    discussion: """
      Example: swift run experiment train resnet20 --epochs 2 --save for-logits.safetensors && swift run experiment logits resnet20 --weights for-logits.safetensors --input experiments/arrays/digits.npy --output logits.npy

      A regression's outputs are in the targets' units. experiments/peers/convert_checkpoint.py converts torchvision's and timm's checkpoints.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(help: ArgumentHelp("The weights, under torchvision's names.", valueName: "file.safetensors"))
  var weights: String
  @Option(
    help: ArgumentHelp(
      "The images, NCHW, normalised as the model expects; for a network with several inputs, a file for each, separated by commas.",
      valueName: "x.npy"))
  var input: String
  @Option(
    help: ArgumentHelp(
      "The file for the logits, one row per image; NCHW if pixels are classified.", valueName: "y.npy"))
  var output: String
  @Option(help: .kernel)
  var conv: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(help: ArgumentHelp("The number of classes (default: the file's).", valueName: "n"))
  var classes: Int?
  @Flag(help: "Load the tensors that fit and list the others on standard error.")
  var partial = false
  @OptionGroup
  var threads: ThreadOption

  func validate() throws {
    if let classes { try check(classes, "--classes", 1...1_048_576) }
  }

  func run() throws {
    let model = try model.required(or: weights), (images, shape) = try Self.images(input)
    try AtomicFile.checkFolder(of: output)
    let network = try variations.network(
      model, conv, inputChannels: shape.channels, classes: classes ?? classesOfFile(weights, of: model),
      seed: 0)
    _ = try network.outputShape(for: shape)
    try load(weights, into: network, partial: partial)
    var context = Context(training: false, threads: threads.count)
    // Each layer runs once, so derived forms of its weights are not worth keeping.
    context.keepsPreparedWeights = false
    var logits = network.forward(images, context)
    if let scale = try TargetScale(metadata: SafetensorsFile(weights).metadata),
      scale.means.count == network.model.classes
    {
      logits = Tensor(scale.predictions(logits.values), logits.shape)
    }
    try NpyFile.write(
      network.model.isDense
        ? logits.toFileOrder(.features) : logits.reshaped([shape.batch, logits.count / shape.batch]),
      to: output)
  }

  /// The images of one file, or of several files that hold the channels of one image.
  static func images(_ list: String) throws -> (images: Tensor, shape: FeatureShape) {
    let isOne = FileManager.default.fileExists(atPath: list)
    let paths = isOne ? [list] : list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let parts = try paths.map { path in
      let array = try NpyFile.read(path)
      guard array.shape.count == 4, array.shape.allSatisfy({ $0 > 0 }) else {
        throw WorkbenchError("\(path) has the shape \(array.shape); images need four axes, NCHW.")
      }
      return (
        array,
        FeatureShape(
          batch: array.shape[0], height: array.shape[2], width: array.shape[3], channels: array.shape[1])
      )
    }
    for (path, part) in zip(paths, parts) {
      var shape = part.1
      shape.channels = parts[0].1.channels
      guard shape == parts[0].1 else {
        throw WorkbenchError(
          "\(path) and \(paths[0]) hold images of \(part.1) and \(parts[0].1); their number and size must be equal."
        )
      }
    }
    var shape = parts[0].1
    shape.channels = parts.reduce(0) { $0 + $1.1.channels }
    let images = try parts.map { try $0.0.tensor().fromFileOrder(.features) }
    return (.concatenated(images, threads: 1), shape)
  }
}
