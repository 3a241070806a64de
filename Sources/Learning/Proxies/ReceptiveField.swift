import Layers
import Tensors

/// How much each pixel of the input contributes to the centre of a feature map (Luo et al., 2016, "Understanding the
/// effective receptive field", arXiv:1701.04128).
///
/// A pixel's contribution is the mean over draws, images and channels of the absolute gradient of the centre pixel's
/// sum over channels. Batch normalisation's statistics are treated as constants, because through them every pixel of
/// a batch would depend on all others.
package struct ReceptiveField: Sendable {
  /// Rows and columns of the input.
  package let height: Int, width: Int
  private var sums: [Double]
  /// Of each pixel over the draws: the squares of its contributions, and their products with all of the draw.
  private var squares: [Double], products: [Double]
  /// The squares of all contributions of a draw.
  private var totalSquares = 0.0
  private var draws = 0
  /// The pixel in front of the centre of the feature map.
  private var centre: (row: Int, column: Int)

  /// A field to which nothing contributes yet.
  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
    sums = Array(repeating: 0, count: height * width)
    squares = sums
    products = sums
    centre = (height / 2, width / 2)
  }

  /// Adds what one draw of weights and images shows.
  ///
  /// - Parameters:
  ///   - layers: one after the other; the last one's output has a centre, at half its height and width.
  ///   - images: NHWC, of this field's height and width.
  package mutating func add(_ layers: [any Layer], _ images: Tensor, threads: Int) {
    var context = Context(training: true, threads: threads)
    context.normalization = .constant
    let output = layers.reduce(images) { $1.forward($0, context) }
    let shape = FeatureShape(output)
    var gradient = Tensor(repeating: 0, output.shape)
    gradient.withMutablePointer { g in
      for image in 0..<shape.batch {
        let centre = (image * shape.height + shape.height / 2) * shape.width + shape.width / 2
        (g + centre * shape.channels).update(repeating: 1, count: shape.channels)
      }
    }
    for layer in layers.reversed() { gradient = layer.backward(gradient, context) }
    func middle(_ size: Int, of input: Int) -> Int { ((2 * (size / 2) + 1) * input / size - 1) / 2 }
    centre = (middle(shape.height, of: height), middle(shape.width, of: width))
    let channels = images.shape[3]
    var own = [Double](repeating: 0, count: sums.count)
    gradient.withPointer { g in
      for index in 0..<gradient.count { own[index / channels % own.count] += abs(Double(g[index])) }
    }
    let total = own.reduce(0, +)
    draws += 1
    totalSquares += total * total
    for (pixel, value) in own.enumerated() {
      sums[pixel] += value
      squares[pixel] += value * value
      products[pixel] += value * total
    }
  }

  /// The sum of the standard errors of all pixels' shares over the draws: how far the map may be from that of
  /// infinitely many draws. Nil for a single draw, or if nothing, or not a finite amount, contributes.
  ///
  /// A share is a ratio; its error is that of the residuals, contribution − share · (all contributions of the draw).
  package var standardError: Double? {
    let total = sums.reduce(0, +), count = Double(draws)
    guard draws > 1, total > 0, total.isFinite else { return nil }
    let errors = sums.indices.map { pixel in
      let share = sums[pixel] / total
      let residuals = squares[pixel] - 2 * share * products[pixel] + share * share * totalSquares
      return (max(0, residuals) * count / (count - 1)).squareRoot() / total
    }
    return errors.reduce(0, +)
  }

  /// Each pixel's share, row by row; their sum is 1. Zeros where nothing contributes.
  package var shares: [Double] {
    let total = sums.reduce(0, +)
    return total > 0 ? sums.map { $0 / total } : sums
  }

  /// The smallest number of pixels that together have a share of the contributions; nil if nothing, or not a finite
  /// amount, contributes.
  package func pixels(holding share: Double) -> Int? {
    let total = sums.reduce(0, +)
    guard total > 0, total.isFinite else { return nil }
    var sum = 0.0
    for (count, value) in sums.sorted(by: >).enumerated() {
      sum += value
      if sum >= share * total { return count + 1 }
    }
    return sums.count
  }

  /// The side of the smallest square about the centre, cut where it leaves the image, that has a share of the
  /// contributions; nil as above.
  package func extent(holding share: Double) -> Int? {
    let total = sums.reduce(0, +)
    guard total > 0, total.isFinite else { return nil }
    var rings = [Double](repeating: 0, count: max(height, width))
    for (index, value) in sums.enumerated() {
      rings[max(abs(index / width - centre.row), abs(index % width - centre.column))] += value
    }
    var sum = 0.0
    for (radius, value) in rings.enumerated() {
      sum += value
      if sum >= share * total { return 2 * radius + 1 }
    }
    return 2 * rings.count - 1
  }
}

extension Layer {
  /// The layers up to the last feature map, before global pooling or the classifier; nil if the network is not a
  /// chain.
  package var featureLinks: [any Layer]? {
    guard let links = (self as? any Chain)?.links else { return nil }
    let ends = links.map { ($0 as? any EndsFeatureMaps)?.isPooling }
    let end = ends.lastIndex(of: true) ?? ends.firstIndex(of: false) ?? links.count
    return end > 0 ? Array(links[..<end]) : nil
  }
}
