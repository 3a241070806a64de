import Kernels
import Tensors

extension ModelDescription {
  /// Refuses joined kernels that do not fit the model's stages or blocks, in a sentence.
  package func check(_ kernel: KernelChoice) throws {
    guard kernel.parts.count > 1 else { return }
    guard let residual else {
      throw WorkbenchError(
        "\(name) has no stages of residual blocks, so it takes one kernel, not \(kernel.item).")
    }
    _ = try residual.kernels(kernel)
  }
}

extension ResidualDescription {
  /// The kernel of each block, stage by stage: of joined kernels, each serves a stage, or a block where there are as
  /// many as blocks.
  ///
  /// - Throws: a ``WorkbenchError`` if their number is wrong, or if the option stages excludes some stages.
  package func kernels(_ choice: KernelChoice) throws -> [[KernelChoice]] {
    let parts = choice.parts, blocks = stages.reduce(0) { $0 + $1.count }
    guard parts.count > 1 else { return stages.map { Array(repeating: choice, count: $0.count) } }
    guard replacedStages == nil else {
      throw WorkbenchError(
        "\(choice.item) names the kernel of each stage of \(name); leave out stages, and name standard where the convolution stays."
      )
    }
    if parts.count == stages.count { return zip(parts, stages).map { Array(repeating: $0, count: $1.count) } }
    guard parts.count == blocks else {
      throw WorkbenchError(
        "\(choice.item) joins \(parts.count) kernels, but \(name) has \(stages.count) stages and \(blocks) blocks; name one kernel, \(stages.count) or \(blocks)."
      )
    }
    var rest = parts[...]
    return stages.map { stage in
      defer { rest = rest.dropFirst(stage.count) }
      return Array(rest.prefix(stage.count))
    }
  }
}
