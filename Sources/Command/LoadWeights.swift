import Layers
import Learning
import Networks
import Tensors

/// Loads a file of weights. Another network's file is refused, or with --partial loaded as far as it fits.
///
/// - Parameters:
///   - partial: whether `--partial` was given; nil for commands that do not have it.
///   - data: the images that the network is applied to, if they are normalised here.
func load(_ path: String, into network: Network, partial: Bool? = nil, data: Dataset? = nil) throws {
  let advice = partial == nil ? "" : "--partial to load what fits"
  let (match, origin) = try network.load(weights: path, partial: partial ?? false, advice: advice)
  if let origin { warn("\(path) was saved for \(origin).") }
  if !match.isComplete { warn("Loaded \(match.loaded.count) tensors of \(path); \(match.differences).") }
  if let data, let remark = try data.remark(onNormalizationOf: SafetensorsFile(path)) { warn(remark) }
}

/// Loads a data set by its name on the command line; warns if the layout of its arrays looks wrong.
func loadData(_ name: String) throws -> Dataset {
  let data = try Dataset.load(name)
  if let remark = data.layoutRemark { warn(remark) }
  return data
}

/// The classes of the classifier in a file of weights; nil if it has none.
func classesOfFile(_ weights: String, of model: String) throws -> Int? {
  let name = try Models.description(model, inputChannels: 1, classes: 1).classifier
  let file = try SafetensorsFile(weights)
  guard let bias = file.entries.first(where: { $0.name == name }), bias.type.isFloat,
    bias.shape.count == 1, (1...1_048_576).contains(bias.shape[0])
  else { return nil }
  return bias.shape[0]
}

/// The images that a file of weights says it was trained on; nil if it does not.
func imageOfFile(_ weights: String) throws -> FeatureShape? {
  try SafetensorsFile(weights).metadata["input"].flatMap { ImageArgument(argument: $0)?.shape }
}
