/// A linear map between images that treats all channels alike, such as a mean over windows or an interpolation:
/// y[t] = Σ share · x[s] over the terms (t, s, share) of pixel t.
///
/// Terms are added in the order in which they were given, forward and transposed: no result depends on the threads.
package struct PixelMap: Sendable {
  /// The terms of one side's pixels: those of pixel p are `starts[p] ..< starts[p + 1]`.
  private struct Rows: Sendable {
    var starts: [Int32]
    var pixels: [Int32]
    var shares: [Float]

    /// - Parameter owners: the pixel on this side of each term.
    init(_ count: Int, owners: [Int32], others: [Int32], shares: [Float]) {
      starts = Array(repeating: 0, count: count + 1)
      for owner in owners { starts[Int(owner) + 1] += 1 }
      for pixel in 0..<count { starts[pixel + 1] += starts[pixel] }
      var next = starts
      pixels = others
      self.shares = shares
      for (term, owner) in owners.enumerated() {
        let place = Int(next[Int(owner)])
        pixels[place] = others[term]
        self.shares[place] = shares[term]
        next[Int(owner)] += 1
      }
    }
  }

  private let targets: Int, sources: Int
  private let gathers: Rows, scatters: Rows

  /// The map between the pixels of one image.
  ///
  /// - Parameters:
  ///   - sources: the pixels of an input image, fewer than 2³¹.
  ///   - targets: those of an output image.
  ///   - forEachTerm: calls its argument with each target, source and share.
  package init(
    sources: Int, targets: Int,
    _ forEachTerm: ((_ target: Int, _ source: Int, _ share: Float) -> Void) -> Void
  ) {
    var of: [Int32] = [], from: [Int32] = [], shares: [Float] = []
    forEachTerm { target, source, share in
      of.append(Int32(target))
      from.append(Int32(source))
      shares.append(share)
    }
    self.sources = sources
    self.targets = targets
    gathers = Rows(targets, owners: of, others: from, shares: shares)
    scatters = Rows(sources, owners: from, others: of, shares: shares)
  }

  /// y = map(x), for NHWC images one after the other.
  package func apply(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, images: Int, channels: Int, threads: Int
  ) {
    Self.sum(gathers, x, y, of: targets, from: sources, images: images, channels: channels, threads: threads)
  }

  /// dx = mapᵀ(g): the gradient to x.
  package func applyTransposed(
    _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, images: Int, channels: Int, threads: Int
  ) {
    Self.sum(
      scatters, g, dx, of: sources, from: targets, images: images, channels: channels, threads: threads)
  }

  /// A few pixels of many channels are divided among threads too: each block of a pixel's channels has one owner.
  private static func sum(
    _ rows: Rows, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, of targets: Int,
    from sources: Int, images: Int, channels: Int, threads: Int
  ) {
    let blocks = ChannelBlocks(channels), terms = max(1, rows.pixels.count / max(1, targets))
    rows.starts.withUnsafeBufferPointer { starts in
      rows.pixels.withUnsafeBufferPointer { pixels in
        rows.shares.withUnsafeBufferPointer { shares in
          blocks.forEach(images * targets, work: terms, threads: threads) { pixel, first, count in
            let (image, target) = pixel.quotientAndRemainder(dividingBy: targets)
            let y = y + (pixel * channels + first), x = x + (image * sources * channels + first)
            y.update(repeating: 0, count: count)
            for term in Int(starts[target])..<Int(starts[target + 1]) {
              addScaled(shares[term], x + Int(pixels[term]) * channels, y, count)
            }
          }
        }
      }
    }
  }
}

/// y += factor · x, rounded after the product and after the sum.
@inline(__always)
private func addScaled(
  _ factor: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
) {
  for index in 0..<count { y[index] += factor * x[index] }
}
