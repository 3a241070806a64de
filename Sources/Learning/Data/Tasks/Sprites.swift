import Kernels
import Tensors

/// Six shapes at any size, turn and place.
struct Sprites: ImageTask {
  static let facts = TaskFacts(
    name: "sprites", summary: "which of six shapes, at any size, angle and position?",
    definition:
      "A square, an ellipse, a heart (those of dSprites), a triangle, a cross or a crescent, with a radius of `smallest` to `largest` of the image's side, at a random angle, position and brightness on a dark background; then noise is added.",
    paper:
      "Matthey et al., 2017, dSprites: Disentanglement testing Sprites dataset, github.com/deepmind/dsprites-dataset",
    about: "shape under scale, rotation and position",
    solution:
      "The shapes differ by more than a pixel at the smallest size, and are far lighter than the noise, so comparing the image with all rotations of all shapes gives the answer."
  )
  static let smallest = KernelOption(
    "smallest", .number(0.1...0.5), initial: 0.15, help: "the smallest radius, as a share of the image's side"
  )
  static let largest = KernelOption(
    "largest", .number(0.1...0.5), initial: 0.3, help: "the largest radius, as a share of the image's side")
  static let noise = noise(0.08)
  static let options: [any AnyKernelOption] = [smallest, largest, noise]

  let classes = ["square", "ellipse", "heart", "triangle", "cross", "crescent"]
  private let low: Double, high: Double, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) throws {
    low = options[Self.smallest] * Double(size)
    high = options[Self.largest] * Double(size)
    noise = options[Self.noise]
    guard low <= high else {
      throw WorkbenchError(
        "sprites has smallest=\(options[Self.smallest]) above largest=\(options[Self.largest]); exchange them."
      )
    }
  }

  /// Whether a point belongs to a shape of radius 1; x to the right, y upwards.
  @inline(__always)
  static func contains(_ shape: Int, _ x: Double, _ y: Double) -> Bool {
    let square = x * x + y * y
    switch shape {
    case 0: return max(abs(x), abs(y)) < 0.7
    case 1: return x * x + 4 * y * y < 1
    case 2:
      // (x² + y² − 1)³ < x² y³, shrunk and moved to the middle.
      let x = 1.25 * x, y = 1.25 * y + 0.1, rest = x * x + y * y - 1
      return rest * rest * rest < x * x * y * y * y
    case 3: return y > -0.5 && y < 1 - 1.7320508 * abs(x)
    case 4: return min(abs(x), abs(y)) < 0.27 && max(abs(x), abs(y)) < 0.95
    default: return square < 1 && (x - 0.45) * (x - 0.45) + y * y > 0.5
    }
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let radius = random.between(low, high), turn = Direction(turns: random.uniform())
    let middle = Double(canvas.size - 1) / 2, room = Double(canvas.size) / 2 - radius
    let x = middle + random.between(-room, room), y = middle + random.between(-room, room)
    canvas.fill(51)
    let level = Int32(128 + random.pick(128))
    let cosine = turn.cosine / radius, sine = turn.sine / radius
    canvas.draw(level, x: x, y: y, reach: radius) { dx, dy in
      Self.contains(label, cosine * dx + sine * dy, sine * dx - cosine * dy)
    }
    canvas.addNoise(noise, using: &random)
    return []
  }
}
