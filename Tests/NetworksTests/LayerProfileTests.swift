import Kernels
import Layers
import Networks
import Tensors
import Testing

/// What an observer sees of a network.
struct LayerProfileTests {
  /// Layers are timed once: none inside another one that is timed too.
  @Test(arguments: [("mean_spot_cbam", "standard"), ("resnet20", "cbam"), ("deeplabv3_resnet50", "aspp")])
  func everyLayerIsTimedOnce(_ model: String, _ item: String) throws {
    let registry = KernelRegistry.builtIn
    let network = try Network(
      Models.description(model, inputChannels: 3, classes: 2), kernel: registry.choice(item),
      standard: registry.choice("standard"), seed: 0)
    let extent = model.hasPrefix("mean_spot") ? 42 : 17
    let x = Tensor(repeating: 1, [1, extent, extent, 3])
    var context = Context(training: false, threads: 1)
    let profile = LayerProfile(context)
    context.observer = profile.observer()
    _ = network.forward(x, context)
    let rows = try network.summaries(for: FeatureShape(x))
    let again = LayerProfile(context)
    context.observer = again.observer()
    _ = network.forward(x, context)
    let medians = LayerProfile.medians([again, profile, again])
    #expect(
      medians.map(\.seconds) == again.entries.map(\.seconds)
        && medians.map(\.name) == profile.entries.map(\.name))
    let names = profile.entries.map(\.name)
    #expect(!names.isEmpty && Set(names).count == names.count)
    #expect(Set(names).isSubset(of: rows.map(\.name)), "\(Set(names).subtracting(rows.map(\.name)))")
    // Every layer with weights is there, but for normalisations, which are part of what they follow.
    let weighty = rows.filter { $0.cost.macs > 0 }.map(\.name)
    #expect(Set(weighty).isSubset(of: names), "\(Set(weighty).subtracting(names))")
  }
}
