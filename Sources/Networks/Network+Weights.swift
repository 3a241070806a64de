import Layers
import Tensors

/// What files of weights record about their network: safetensors' metadata, which are named texts.
///
/// `workbench` is the version that wrote the file and `workbench_format` the form of these names. `model`, `conv` and
/// the model's options are as on the command line, `classes` and `channels` (of the images) are numbers. A file
/// without `workbench_format` is from elsewhere, and may belong to any network.
extension Network {
  private static let formatName = "workbench_format", format = 1

  /// The metadata for a file of this network's weights.
  package var metadata: [String: String] {
    var metadata = [
      "workbench": workbenchVersion, Self.formatName: "\(Self.format)", "model": model.name,
      "conv": kernel,
      "classes": "\(model.classes)", "channels": "\(model.inputChannels)",
    ]
    for (option, value) in model.variations { metadata[option] = value }
    return metadata
  }

  /// If a file was saved from another network, how that network is made, as command-line options; nil if it is this
  /// network's, or if the file does not say.
  ///
  /// - Throws: a ``WorkbenchError`` if a later version wrote the file in a form that this one does not know.
  package func origin(of file: borrowing SafetensorsFile) throws -> String? {
    guard let format = file.metadata[Self.formatName] else { return nil }
    guard format == "\(Self.format)" else {
      throw WorkbenchError(
        "\(file.path) was written by version \(file.metadata["workbench"] ?? "unknown") of the workbench in a form that this version, \(workbenchVersion), does not know; use that version."
      )
    }
    let own = metadata
    func differing(_ name: String) -> String? {
      guard let saved = file.metadata[name], saved != own[name] else { return nil }
      return saved
    }
    var options: [String] = [], absent: [String] = [], rest: [String] = []
    if let saved = differing("model") { options.append(saved) }
    for name in ["conv"] + model.variations.map(\.option) {
      guard let value = differing(name) else { continue }
      if value.isEmpty { absent.append("--\(name)") } else { options.append("--\(name) \(value)") }
    }
    if let classes = differing("classes") { rest.append("\(classes) classes") }
    if let channels = differing("channels") {
      rest.append("images of \(channels) channel\(channels == "1" ? "" : "s")")
    }
    let parts =
      (options.isEmpty ? [] : [options.joined(separator: " ")])
      + (absent.isEmpty ? [] : ["no \(absent.joined(separator: " or "))"]) + rest
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// Reads weights from a safetensors file, as ``Layers/Layer/load(from:partial:advice:)``, and refuses those of
  /// another network.
  ///
  /// - Parameters:
  ///   - partial: whether to load what fits, of another network's weights too.
  ///   - advice: what else a refusal suggests, such as an option that loads what fits.
  /// - Returns: what was loaded and what not, and of which other network the file is.
  @discardableResult
  package func load(weights path: String, partial: Bool = false, advice: String = "") throws
    -> (match: StateMatch, origin: String?)
  {
    let origin = try origin(of: SafetensorsFile(path))
    guard let origin, !partial else {
      return (try load(from: path, partial: partial, advice: advice), origin)
    }
    throw WorkbenchError(
      "\(path) was saved for \(origin); use the same\(advice.isEmpty ? "" : ", or \(advice)").")
  }
}
