import Foundation
import Tensors

extension Dataset {
  /// A ten-class problem of 1×16×16 images that needs no files: the same numbers on every call.
  ///
  /// Each class is a smooth random pattern (cosines of up to 1.5 periods); an image is its class's pattern,
  /// moved by up to 4 pixels in each direction, times a contrast of 0.7 to 1.3, plus normal noise of
  /// deviation 1. 1,000 images are for training, 250 for testing, with the classes in turn.
  static func synthetic(validation: Int) throws -> Dataset {
    let random = Random(seed: 2026)
    var source = random.split("patterns")
    let patterns = (0..<10).map { _ in syntheticPattern(using: &source) }
    func split(_ name: String, _ count: Int) throws -> Examples {
      var source = random.split(name)
      let labels = (0..<count).map { $0 % 10 }
      let pixels = labels.flatMap { syntheticImage(patterns[$0], using: &source) }
      return try Examples(
        images: Tensor(pixels, [count, 16, 16, 1]), labels: labels, classes: 10, source: "synthetic \(name)")
    }
    return try Dataset(
      name: "synthetic", classes: 10, train: split("train", 1000),
      validation: validation > 0 ? split("validation", validation) : nil, test: split("test", 250))
  }

  private static let syntheticSize = 16
  private static let syntheticShift = 4

  /// A square of 16 + 2·4 pixels a side: the image with room to move.
  private static func syntheticPattern(using random: inout Random) -> [Double] {
    let amplitudes = (0..<16).map { $0 == 0 ? 0 : random.normal() * (2.5 / 16).squareRoot() }
    let positions = -syntheticShift..<syntheticSize + syntheticShift
    let waves = positions.map { position in
      (0..<4).map { cos(.pi * Double($0) * (Double(position) + 0.5) / Double(syntheticSize)) }
    }
    return waves.flatMap { rowWaves in
      waves.map { columnWaves in
        var sum = 0.0
        for row in 0..<4 {
          for column in 0..<4 { sum += amplitudes[row * 4 + column] * rowWaves[row] * columnWaves[column] }
        }
        return sum
      }
    }
  }

  private static func syntheticImage(_ pattern: [Double], using random: inout Random) -> [Float] {
    let top = random.below(2 * syntheticShift + 1), left = random.below(2 * syntheticShift + 1)
    let contrast = 0.7 + 0.6 * random.uniform()
    let side = syntheticSize + 2 * syntheticShift
    return (0..<syntheticSize * syntheticSize).map { pixel in
      let row = top + pixel / syntheticSize, column = left + pixel % syntheticSize
      return Float(contrast * pattern[row * side + column] + random.normal())
    }
  }
}
