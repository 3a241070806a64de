import Foundation
import Layers
import Tensors

/// A training in a file, so that another process resumes it bit for bit.
///
/// A safetensors file with the network's state under its own names, that of the best epoch so far as `best.NAME`, the
/// optimiser's slots as `optimizer.SLOT.PARAMETER`, and in the metadata the training's position and definition.
package enum Checkpoint {
  /// The path of the training state for a file of weights: `net.resume.safetensors` next to `net.safetensors`.
  package static func path(beside weights: String) -> String {
    let suffix = ".safetensors"
    let stem = weights.hasSuffix(suffix) ? String(weights.dropLast(suffix.count)) : weights
    return stem + ".resume" + suffix
  }

  /// Writes a training, whole or not at all.
  ///
  /// - Parameters:
  ///   - job: what defines it: it can only be resumed by the same.
  ///   - metadata: further metadata.
  package static func save(
    _ trainer: Trainer, job: [String: String], to path: String, metadata: [String: String] = [:]
  ) throws {
    var tensors = trainer.network.state.map(\.fileEntry)
    for (slot, values) in trainer.optimizer.slots.sorted(by: { $0.key < $1.key }) {
      for (parameter, value) in zip(trainer.parameters, values) {
        guard let value else { continue }
        tensors.append(("optimizer.\(slot).\(parameter.name)", value.shape, { value }))
      }
    }
    for (entry, value) in zip(trainer.network.state, trainer.bestWeights ?? []) {
      let layout = entry.parameter.layout
      tensors.append(("best.\(entry.name)", layout.fileShape(value.shape), { value.toFileOrder(layout) }))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let state = try encoder.encode(trainer.state), definition = try encoder.encode(job)
    try SafetensorsFile.write(
      tensors,
      metadata: [
        "training": String(decoding: state, as: UTF8.self),
        "job": String(decoding: definition, as: UTF8.self), "tensors": "\(tensors.count)",
      ].merging(metadata) { own, _ in own },
      to: path)
  }

  /// Restores a training from a file.
  ///
  /// - Throws: a ``WorkbenchError`` that names what the file and this training do not share.
  package static func restore(_ trainer: Trainer, job: [String: String], from path: String) throws {
    var file = try SafetensorsFile(path)
    guard let saved: TrainingState = decode(file.metadata["training"]),
      var definition: [String: String] = decode(file.metadata["job"])
    else {
      throw WorkbenchError(
        "\(path) holds no training to resume; give the .resume.safetensors file that --save wrote next to it."
      )
    }
    guard file.metadata["tensors"] == "\(file.entries.count)" else {
      throw WorkbenchError(
        "\(path) holds \(file.entries.count) tensors, not the \(file.metadata["tensors"] ?? "unknown number") that were saved; use the file as --save wrote it."
      )
    }
    // Of those saved before the digits' split could be chosen.
    if definition["data"] == "digits", job["data"] != "digits" { definition["data"] = "digits:split=1437" }
    // Of those saved before there were validation splits.
    if let data = definition["data"], data != job["data"],
      !data.split(separator: ":").contains(where: { $0.hasPrefix("validation=") })
    {
      definition["data"] = data + ":validation=0"
    }
    for name in Set(job.keys).union(definition.keys).sorted() where job[name] != definition[name] {
      throw WorkbenchError(
        "\(path) was trained with \(name) \(definition[name] ?? "left out"), not \(job[name] ?? "left out"); resume it with the same options."
      )
    }
    // With a constant rate, trainings of any length are the same.
    if let epochs = job["epochs"].flatMap({ Int($0) }), saved.epoch + (saved.step > 0 ? 1 : 0) > epochs {
      throw WorkbenchError(
        "\(path) is in epoch \(saved.epoch + 1) of \(epochs), which is impossible; use the file as --save wrote it."
      )
    }
    let prefix = "optimizer."
    let own = Dictionary(
      trainer.network.state.map { ($0.name, $0.parameter) }, uniquingKeysWith: { $1 })
    var slots = trainer.optimizer.slots, found = Set<String>(), values: [(Parameter, Tensor)] = []
    var best: [String: Tensor] = [:]
    let bestPrefix = "best."
    for index in file.entries.indices {
      let entry = file.entries[index]
      guard entry.type.isFloat else { throw broken(path, entry.name) }
      if let parameter = own[entry.name] {
        guard entry.shape == parameter.layout.fileShape(parameter.value.shape) else {
          throw broken(path, entry.name)
        }
        values.append((parameter, try file.read().fromFileOrder(parameter.layout)))
        found.insert(entry.name)
      } else if entry.name.hasPrefix(bestPrefix) {
        let name = String(entry.name.dropFirst(bestPrefix.count))
        guard let parameter = own[name],
          entry.shape == parameter.layout.fileShape(parameter.value.shape)
        else { throw broken(path, entry.name) }
        best[name] = try file.read().fromFileOrder(parameter.layout)
      } else {
        let parts = entry.name.dropFirst(prefix.count).split(separator: ".", maxSplits: 1).map(String.init)
        guard entry.name.hasPrefix(prefix), parts.count == 2, let tensors = slots[parts[0]],
          let place = trainer.parameters.firstIndex(where: { $0.name == parts[1] }),
          tensors.indices.contains(place),
          entry.shape == (parts[0] == "steps" ? [1] : trainer.parameters[place].parameter.value.shape)
        else { throw broken(path, entry.name) }
        slots[parts[0]]?[place] = try file.read()
      }
    }
    if let missing = own.keys.sorted().first(where: { !found.contains($0) }) { throw broken(path, missing) }
    let names = trainer.network.state.map(\.name)
    if !best.isEmpty, let missing = names.first(where: { best[$0] == nil }) {
      throw broken(path, bestPrefix + missing)
    }
    try trainer.restore(saved, best: best.isEmpty ? nil : names.compactMap { best[$0] })
    for (parameter, value) in values { parameter.value = value }
    trainer.optimizer.slots = slots
  }

  private static func decode<Value: Decodable>(_ text: String?) -> Value? {
    text.flatMap { try? JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
  }

  private static func broken(_ path: String, _ name: String) -> WorkbenchError {
    WorkbenchError("\(path) does not fit this training: \(name) is missing, unknown or of another shape.")
  }
}
