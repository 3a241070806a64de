import Kernels
import Learning
import Networks
import Tensors

/// The main job as a value: what is compared, on what, and how often.
package struct Specification: Sendable {
  /// The kernels, `standard` first.
  package private(set) var kernels: [KernelChoice]
  /// The kernel of all convolutions that are not replaced, with which the others are compared.
  package let standard: KernelChoice
  /// The data.
  package let data: Dataset
  /// The network.
  package let model: any ModelDescription
  /// Its widths by kernel, where they are matched to a budget; none otherwise.
  package var matched: [String: MatchedModel] = [:]
  /// How each network is trained; the number of epochs may be 0.
  package var recipe: Recipe
  /// Whether trained networks are tested: those that only choose something are not.
  package var looksAtTest = true
  /// The seeds 0 ..< `seeds` are trained.
  package let seeds: Int
  /// Threads of an operator, and networks trained at the same time.
  package let threads: Int

  /// A job for some kernels, `standard` first, a data set and a model that fits it.
  ///
  /// - Throws: a ``WorkbenchError`` if the model classifies pixels, which no data set has classes for.
  package init(
    kernels: [KernelChoice], data: Dataset, model: any ModelDescription, recipe: Recipe, seeds: Int,
    threads: Int
  ) throws {
    try data.check(fits: model)
    self.kernels = kernels
    standard = kernels[0]
    self.data = data
    self.model = model
    self.recipe = recipe
    self.seeds = seeds
    self.threads = threads
  }

  /// The same job for other kernels; the yardstick need not be one of them.
  func with(_ kernels: [KernelChoice]) -> Specification {
    var copy = self
    copy.kernels = kernels
    return copy
  }

  /// A new network with a kernel.
  func network(_ choice: KernelChoice, seed: Int) throws -> Network {
    try Network(
      matched[choice.item]?.description ?? model, kernel: choice, standard: standard, seed: UInt64(seed))
  }
}
