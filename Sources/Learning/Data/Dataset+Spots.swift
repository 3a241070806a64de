import Foundation
import Tensors

extension Dataset {
  /// A regression that needs no files: the same numbers on every call.
  ///
  /// Each example is three images of 42×42 pixels (as channels), each with one blurred spot of its own place, size and
  /// brightness in noise of deviation 0.1; the target is the mean of the spots' horizontal positions, −1 at the left
  /// and 1 at the right of where they can be, 5 pixels from the edges. 2,000 are for training, 500 for testing.
  static func spots(validation: Int) throws -> Dataset {
    let random = Random(seed: 42)
    func split(_ name: String, _ count: Int) throws -> Examples {
      var source = random.split(name)
      var images = Tensor(repeating: 0, [count, spotsExtent, spotsExtent, 3]), targets: [Float] = []
      for example in 0..<count {
        var sum = 0.0
        for channel in 0..<3 {
          sum += draw(into: &images, (example * spotsExtent * spotsExtent) * 3 + channel, using: &source)
        }
        targets.append(Float(sum / 3))
      }
      return try Examples(images: images, values: targets, source: "spots \(name)")
    }
    return try Dataset(
      name: "spots", classes: 1, train: split("train", 2000),
      validation: validation > 0 ? split("validation", validation) : nil, test: split("test", 500))
  }

  private static let spotsExtent = 42

  /// Draws a spot into every third element from `first`, and returns its horizontal position.
  private static func draw(into images: inout Tensor, _ first: Int, using random: inout Random) -> Double {
    let center = Double(spotsExtent - 1) / 2, reach = center - 5
    let across = 2 * random.uniform() - 1, down = 2 * random.uniform() - 1
    let deviation = 2 + 2 * random.uniform(), brightness = 0.7 + 0.6 * random.uniform()
    // A Gaussian is a product of its profiles along both axes.
    func profile(_ position: Double) -> [Double] {
      (0..<spotsExtent).map { exp(-pow((Double($0) - center - reach * position) / deviation, 2) / 2) }
    }
    let rows = profile(down), columns = profile(across)
    images.withMutablePointer { values in
      for pixel in 0..<spotsExtent * spotsExtent {
        let spot = brightness * rows[pixel / spotsExtent] * columns[pixel % spotsExtent]
        values[first + 3 * pixel] = Float(spot + 0.1 * random.normal())
      }
    }
    return across
  }
}
