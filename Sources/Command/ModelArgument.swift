import ArgumentParser
import Tensors

/// The model of a command, given as its argument or as `--model`.
struct ModelArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp("The model, such as resnet20; ‘experiment list’ shows all.", valueName: "model"))
  var argument: String?
  @Option(name: .customLong("model"), help: ArgumentHelp("The same as the argument.", valueName: "model"))
  var option: String?

  func validate() throws {
    guard argument == nil || option == nil else {
      throw ValidationError("Give one model, as the argument or with --model.")
    }
  }

  /// The model's name, if one is given.
  var name: String? { argument ?? option }

  /// The model's name, or that of the network whose weights a file has.
  func required(or weights: String?) throws -> String {
    guard name == nil, let weights, let saved = try SafetensorsFile(weights).metadata["model"] else {
      return try required()
    }
    return saved
  }

  /// The model's name; wrong usage if none is given.
  func required() throws -> String {
    guard let name else {
      throw ValidationError("Give a model, such as resnet20; ‘experiment list’ shows all.")
    }
    return name
  }
}
