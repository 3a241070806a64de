import ArgumentParser
import Foundation
import Layers
import Learning
import Networks
import Tensors

/// `experiment export`: a model with its weights as a file for other programs.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a model for other programs, as ONNX or as weights only.",
    discussion: """
      Example: swift run experiment train resnet20 --conv deformable --epochs 2 --save exported.safetensors && swift run experiment export resnet20 --conv deformable --weights exported.safetensors --input 1x8x8 --output net.onnx

      The file's ending chooses the format. .onnx holds the network for inference, with operators of version 19, for any number of images of one size. .safetensors holds the weights, under torchvision's names. A regression's outputs are in the targets' units. docs/from-python.md shows how to read both.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(
    help: ArgumentHelp("The weights (default: initial ones).", valueName: "file.safetensors"))
  var weights: String?
  @Option(
    help: ArgumentHelp(
      "The image size, CxHxW (default: that of the weights, or the model's own).", valueName: "size"))
  var input: ImageArgument?
  @Option(help: ArgumentHelp("The file, ending in .onnx or .safetensors.", valueName: "net.onnx"))
  var output: String
  @Option(help: .kernel)
  var conv: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(
    help: ArgumentHelp(
      "The number of classes (default: that of the weights, or the model's own).", valueName: "n"))
  var classes: Int?
  @Option(help: ArgumentHelp("The seed of initial weights.", valueName: "n"))
  var seed: UInt64 = 0

  private enum Format: String, CaseIterable { case onnx, safetensors }

  private var format: Format? { Format(rawValue: (output as NSString).pathExtension.lowercased()) }

  func validate() throws {
    if weights == nil { _ = try model.required() }
    if let classes { try check(classes, "--classes", 1...1_048_576) }
    guard format != nil else {
      throw ValidationError("--output is ‘\(output)’; its ending must be .onnx or .safetensors.")
    }
    try check(outputs: [("--weights", weights), ("--output", output)])
  }

  func run() throws {
    let model = try model.required(or: weights)
    let shape = try input?.shape ?? weights.flatMap(imageOfFile) ?? Models.input(model)
    try AtomicFile.checkFolder(of: output)
    let network = try variations.network(
      model, conv, inputChannels: shape.channels,
      classes: classes ?? weights.flatMap { try classesOfFile($0, of: model) }, seed: seed)
    _ = try network.outputShape(for: shape)
    var metadata: [String: String] = [:]
    if let weights {
      try load(weights, into: network)
      metadata = try SafetensorsFile(weights).metadata
    } else {
      warn("The weights are untrained; give trained ones with --weights.")
    }
    metadata.merge(network.metadata) { $1 }
    if format == .safetensors {
      try network.save(to: output, metadata: metadata)
      return print("Weights: \(output)")
    }
    let scale = TargetScale(metadata: metadata).flatMap {
      $0.means.count == network.model.classes ? $0 : nil
    }
    let data = try network.onnx(
      for: shape, scale: scale.map { ($0.deviations.map(Float.init), $0.means.map(Float.init)) },
      metadata: metadata)
    try AtomicFile.write(data, to: output)
    print("Network: \(output), for images of \(shape.channels)×\(shape.height)×\(shape.width)")
  }
}
