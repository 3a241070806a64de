import Kernels
import Layers
import Tensors

/// The settings of receptive fields: stacks of each kernel.
package struct FieldSettings: Settable {
  package var depth = 10, window = 3, channels = 32
  package var size = Pair(61)
  package var seeds = 5, batch = 4

  package init() {}

  package static let depth = Setting("depth", \Self.depth, .whole(1...1000), "Layers of the stack")
  package static let window = Setting(
    "kernel", \Self.window, .odd(1...1023), "The window size of the stack's kernels")
  package static let channels = Setting("channels", \Self.channels, .whole(1...4096), "Channels of the stack")
  package static let size = Setting(
    "size", \Self.size, .size(1...4096), "The image size (default for a model: its own)")
  package static let seeds = Setting(
    "seeds", \Self.seeds, .whole(1...10_000), "Draws of weights and images to average over")
  package static let batch = Setting("batch", \Self.batch, .whole(1...4096), "Images of each draw")

  /// All of them, in the order of lists.
  package static let all = [depth, window, channels, size, seeds, batch]

  /// What of it defines a run.
  var definition: [String: String] {
    [
      "depth": "\(depth)", "window": "\(window)", "channels": "\(channels)", "size": "\(size)",
      "seeds": "\(seeds)", "batch": "\(batch)",
    ]
  }

  /// What all rows of the table share; `model` is what is measured in place of a stack.
  package func cells(model: String? = nil) -> [(column: String, cell: String)] {
    [
      ("model", model ?? "stack"), ("depth", model == nil ? "\(depth)" : ""),
      ("kernel_size", model == nil ? "\(window)" : ""), ("channels", "\(channels)"), ("seeds", "\(seeds)"),
      ("batch", "\(batch)"),
    ]
  }

  /// The study's plan.
  package func plan(threads: Int) -> FieldStudy.Plan {
    FieldStudy.Plan(size: size, channels: channels, seeds: seeds, batch: batch, threads: threads)
  }

  /// A stack of a kernel.
  package func stack(_ kernel: KernelChoice, seed: UInt64) throws -> [any Layer] {
    try FieldStudy.stack(kernel, depth: depth, window: window, channels: channels, seed: seed)
  }
}
