import Kernels
import Learning
import Networks

/// The main job as a value: what is compared, on what, and how often.
public struct Specification: Sendable {
  /// The kernels, `standard` first.
  public let kernels: [KernelChoice]
  /// The kernel of all convolutions that are not replaced, and the yardstick.
  public let standard: KernelChoice
  /// The data.
  public let data: Dataset
  /// The network.
  public let model: ResidualDescription
  /// How each network is trained; the number of epochs may be 0.
  public let recipe: Recipe
  /// The seeds 0 ..< `seeds` are trained.
  public let seeds: Int
  /// Threads of an operator, and networks trained at the same time.
  public let threads: Int

  /// A job for some kernels, `standard` first, a data set and a model that fits it.
  public init(
    kernels: [KernelChoice], data: Dataset, model: ResidualDescription, recipe: Recipe, seeds: Int,
    threads: Int
  ) {
    self.kernels = kernels
    standard = kernels[0]
    self.data = data
    self.model = model
    self.recipe = recipe
    self.seeds = seeds
    self.threads = threads
  }

  /// A new network with a kernel.
  func network(_ choice: KernelChoice, seed: Int) throws -> ResidualNetwork {
    try ResidualNetwork(
      model, kernel: choice, standard: standard, seed: UInt64(seed))
  }
}
