import Tensors

/// Which names of a file of weights and of a network match.
package struct StateMatch: Sendable {
  /// Names that the network and the file both have, with the same shape.
  package var loaded: [String] = []
  /// Names that only the network has.
  package var missing: [String] = []
  /// Names that only the file has.
  package var unexpected: [String] = []
  /// Names whose shapes differ, or whose values are not floats, with the difference.
  package var misfits: [String] = []

  /// Whether everything fits.
  package var isComplete: Bool { missing.isEmpty && unexpected.isEmpty && misfits.isEmpty }

  /// What does not fit: the first names of each kind, and the number of the others.
  package var differences: String {
    func list(_ names: [String]) -> String {
      let shown = names.prefix(5).joined(separator: ", ")
      return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
    return [("missing", missing), ("unexpected", unexpected), ("of another shape or type", misfits)]
      .filter { !$0.1.isEmpty }.map { "\($0.0): \(list($0.1))" }.joined(separator: "; ")
  }
}

extension Layer {
  /// The contents of a file of weights: parameters, then running statistics, under PyTorch's names.
  package var state: [NamedParameter] { parameters + buffers }

  /// Writes the state as a safetensors file, in PyTorch's layouts.
  package func save(to path: String, metadata: [String: String] = [:]) throws {
    try SafetensorsFile.write(state.map(\.fileEntry), metadata: metadata, to: path)
  }

  /// Reads the state from a safetensors file.
  ///
  /// Batch counters (`num_batches_tracked`), which are not needed here, are ignored.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - partial: whether to load what fits and leave the rest as it is.
  ///   - advice: the option that a refusal suggests.
  /// - Returns: what was loaded and what not.
  /// - Throws: a `WorkbenchError` that lists what does not fit; nothing is changed then. If a file cannot be read to
  ///   its end, what was read before stays loaded.
  @discardableResult
  package func load(from path: String, partial: Bool = false, advice: String = "") throws -> StateMatch {
    var file = try SafetensorsFile(path)
    let match = match(file.entries)
    guard match.isComplete || partial else {
      throw WorkbenchError(
        "\(path) does not fit this network\(advice.isEmpty ? "" : "; use \(advice)"); \(match.differences).")
    }
    guard !match.loaded.isEmpty else {
      throw WorkbenchError("\(path) holds nothing that fits this network; \(match.differences).")
    }
    let wanted = Set(match.loaded)
    let parameters = Dictionary(state.map { ($0.name, $0.parameter) }, uniquingKeysWith: { $1 })
    for index in file.entries.indices {
      let name = file.entries[index].name
      guard wanted.contains(name), let parameter = parameters[name] else {
        try file.skip()
        continue
      }
      parameter.value = try file.read().fromFileOrder(parameter.layout)
    }
    return match
  }

  private func match(_ entries: [SafetensorsFile.Entry]) -> StateMatch {
    var match = StateMatch()
    let known = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    for (name, parameter) in state.map({ ($0.name, $0.parameter) }) {
      let shape = parameter.layout.fileShape(parameter.value.shape)
      guard let entry = known[name] else {
        match.missing.append(name)
        continue
      }
      if entry.shape != shape {
        match.misfits.append("\(name) (\(entry.shape) in the file, \(shape) here)")
      } else if !entry.type.isFloat {
        match.misfits.append("\(name) (\(entry.type.rawValue) in the file)")
      } else {
        match.loaded.append(name)
      }
    }
    let own = Set(state.map(\.name))
    match.unexpected = entries.map(\.name).filter {
      !own.contains($0) && !$0.hasSuffix("num_batches_tracked")
    }
    return match
  }
}

extension NamedParameter {
  /// What a file of weights holds of it.
  package var fileEntry: (name: String, shape: [Int], values: () -> Tensor) {
    let parameter = parameter
    return (
      name, parameter.layout.fileShape(parameter.value.shape),
      { parameter.value.toFileOrder(parameter.layout) }
    )
  }
}
