import Tensors

/// Images with their targets that one pass takes.
package struct Minibatch: Sendable {
  /// NHWC.
  package var images: Tensor
  /// A class, or values, for each image.
  package var targets: Targets

  /// Images and their targets.
  package init(images: Tensor, targets: Targets) {
    self.images = images
    self.targets = targets
  }

  /// Disjoint minibatches of a split: its first images, or those of a random order.
  ///
  /// - Parameters:
  ///   - size: the images of each; fewer where the split has not enough for all.
  ///   - random: what the order depends on; nil for the split's own.
  package static func draw(_ number: Int, of size: Int, from examples: Examples, random: Random?)
    -> [Minibatch]
  {
    var order = Array(0..<examples.count)
    if var random { order.shuffle(using: &random) }
    let size = max(1, min(size, examples.count / max(number, 1)))
    return (0..<number).compactMap { batch in
      let chosen = order.dropFirst(batch * size).prefix(size)
      guard chosen.count == size else { return nil }
      let (images, targets) = examples.gather(Array(chosen))
      return Minibatch(images: images, targets: targets)
    }
  }
}
