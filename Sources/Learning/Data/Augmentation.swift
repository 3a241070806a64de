import Tensors

/// Random changes of training images: a shift of up to `shift` pixels in each direction, and a mirror image.
package struct Augmentation: Sendable {
  /// The largest shift, in pixels, up, down, left and right.
  package let shift: Int
  /// Whether an image is mirrored left to right with probability 1/2.
  package let flips: Bool
  /// The fill value at the borders, per channel: intensity 0 after normalisation, as if the original were padded with
  /// black.
  package let fill: [Float]

  /// An augmentation; a shift of 0 without flips changes nothing.
  package init(shift: Int, flips: Bool, fill: [Float]) {
    self.shift = max(shift, 0)
    self.flips = flips
    self.fill = fill
  }

  /// Changes every image of a batch, `[count, height, width, channels]`, by its own random numbers.
  ///
  /// The number of channels must be that of `fill`.
  package func apply(to batch: inout Tensor, using random: inout Random) {
    guard shift > 0 || flips else { return }
    let shape = FeatureShape(batch)
    precondition(shape.channels == fill.count, "\(fill.count) channels expected, found \(shape.channels)")
    let original = batch
    original.withPointer { source in
      batch.withMutablePointer { target in
        for image in 0..<shape.batch {
          let offset = image * shape.height * shape.width * shape.channels
          let down = random.below(2 * shift + 1) - shift
          let right = random.below(2 * shift + 1) - shift
          let isMirrored = flips && random.below(2) == 1
          move(source + offset, to: target + offset, shape, down, right, isMirrored)
        }
      }
    }
  }

  private func move(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ shape: FeatureShape,
    _ down: Int, _ right: Int, _ isMirrored: Bool
  ) {
    let channels = shape.channels
    for row in 0..<shape.height {
      for column in 0..<shape.width {
        let pixel = target + (row * shape.width + column) * channels
        let fromRow = row - down
        let shifted = column - right
        let fromColumn = isMirrored ? shape.width - 1 - shifted : shifted
        if (0..<shape.height).contains(fromRow) && (0..<shape.width).contains(fromColumn) {
          pixel.update(from: source + (fromRow * shape.width + fromColumn) * channels, count: channels)
        } else {
          for channel in 0..<channels { pixel[channel] = fill[channel] }
        }
      }
    }
  }
}
