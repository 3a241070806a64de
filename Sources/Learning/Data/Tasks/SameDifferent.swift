import Kernels
import Tensors

/// Two figures far apart: are they the same?
struct SameDifferent: ImageTask {
  static let facts = TaskFacts(
    name: "same-different", summary: "are two figures on opposite sides the same?",
    definition:
      "Two of `figures` figures of 5×5 pixels (the first ones are bars in four directions) are `distance` of the image's side apart, left and right or above and below, each at a random position along its side. They are equal in one class and differ in the other. Figures are white on grey noise.",
    paper:
      "Fleuret et al., 2011, Comparing machines and humans on a visual categorization test, PNAS 108(43), doi:10.1073/pnas.1109168108 (their first problem)",
    about: "long range: two places must be compared",
    solution: "The two 5×5 patches are compared, pixel by pixel.")
  static let figures = KernelOption("figures", .whole(2...8), initial: 4, help: "the number of figures")
  static let distance = KernelOption(
    "distance", .number(0.4...0.8), initial: 0.7,
    help: "their distance, as a share of the image's side, if it fits")
  static let noise = noise(0.1)
  static let options: [any AnyKernelOption] = [figures, distance, noise]

  let classes = ["same", "different"]
  /// Rows of 5×5 pixels: four bars, a cross, a square, a triangle, a corner.
  static let patterns: [[Bool]] = [
    "0000000000111110000000000", "0010000100001000010000100", "1000001000001000001000001",
    "0000100010001000100010000", "0010000100111110010000100", "1111110001100011000111111",
    "0000000100010101000111111", "1000010000100001000011111",
  ].map { $0.map { $0 == "1" } }

  private let count: Int, distance: Int, jitter: Int, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) {
    count = options[Self.figures]
    // Both figures stay within the image.
    distance = min(Int(options[Self.distance] * Double(size) + 0.5), size - 5)
    jitter = size / 12
    noise = options[Self.noise]
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let size = canvas.size
    let first = random.pick(count)
    let second = label == 0 ? first : (first + 1 + random.pick(count - 1)) % count
    let isUpright = random.pick(2) == 1
    canvas.fill(128)
    canvas.addNoise(noise, using: &random)
    // The middle of both moves a little; each has a height of its own.
    let near = min(max((size - distance) / 2 + random.pick(2 * jitter + 1) - jitter, 2), size - 3 - distance)
    for (figure, along) in [(first, near), (second, near + distance)] {
      let across = 2 + random.pick(size - 4), (y, x) = isUpright ? (along, across) : (across, along)
      for row in 0..<5 {
        for column in 0..<5 where Self.patterns[figure][row * 5 + column] {
          canvas[y + row - 2, x + column - 2] = 255
        }
      }
    }
    return []
  }
}
