import Kernels
import Tensors

/// Where is the disc among rings? A regression.
struct Position: ImageTask {
  static let facts = TaskFacts(
    name: "position", summary: "where is the disc among rings? A regression of two values",
    definition:
      "A light disc with a radius of 1/10 of the image's side and `distractors` rings of the same size are drawn at random positions on a dark background, no ring over the disc; then noise is added. The values are the disc's x and y, from −1 at the left and top edges to 1 at the right and bottom edges.",
    paper:
      "Liu et al., 2018, An Intriguing Failing of Convolutional Neural Networks and the CoordConv Solution, arXiv:1807.03247",
    about:
      "where, not what: pooling over the image discards the position, padding and a large receptive field restore it",
    solution:
      "The disc is the only region that is light over its whole area; its centre is known to a small fraction of a pixel."
  )
  static let distractors = KernelOption("distractors", .whole(0...16), initial: 3, help: "how many rings")
  static let noise = noise(0.1)
  static let options: [any AnyKernelOption] = [distractors, noise]
  static let isRegression = true

  let classes = ["x", "y"]
  private let distractors: Int, radius: Double, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) {
    distractors = options[Self.distractors]
    radius = Double(size) / 10
    noise = options[Self.noise]
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let middle = Double(canvas.size - 1) / 2, room = middle - radius
    canvas.fill(51)
    let x = random.between(-room, room), y = random.between(-room, room)
    let square = radius * radius, hole = square * 0.3
    for _ in 0..<distractors {
      let ringX = random.between(-room, room), ringY = random.between(-room, room)
      // One that would lie over the disc is left out.
      let distance = (ringX - x) * (ringX - x) + (ringY - y) * (ringY - y)
      guard distance > 5 * square else { continue }
      canvas.draw(204, x: middle + ringX, y: middle + ringY, reach: radius) { dx, dy in
        let distance = dx * dx + dy * dy
        return distance < square && distance > hole
      }
    }
    canvas.draw(204, x: middle + x, y: middle + y, reach: radius) { $0 * $0 + $1 * $1 < square }
    canvas.addNoise(noise, using: &random)
    let half = Double(canvas.size) / 2
    return [Float(x / half), Float(y / half)]
  }
}
