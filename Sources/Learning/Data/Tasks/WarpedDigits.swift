import Kernels
import Tensors

/// Digits that are turned, scaled and moved.
struct WarpedDigits: ImageTask {
  static let facts = TaskFacts(
    name: "warped-digits", summary: "which digit, rotated, scaled and shifted?",
    definition:
      "One of the embedded handwritten digits is rotated by up to `rotation` degrees to either side, drawn `smallest` to `largest` of the image's side high, at a random position; then noise is added. Training, validation and test images are of different forms, so almost always of different writers.",
    paper: "Jaderberg et al., 2015, Spatial Transformer Networks, arXiv:1506.02025 (their distorted MNIST)",
    about: "deformation: sampling that follows the object",
    solution:
      "People can read digits that are rotated by less than a right angle. A few of the 382 test digits are badly written, so 100 % is an upper bound."
  )
  static let rotation = KernelOption(
    "rotation", .number(0...180), initial: 60, help: "the largest rotation to either side, in degrees")
  static let smallest = KernelOption(
    "smallest", .number(0.25...1), initial: 0.4, help: "the smallest height, as a share of the image's side")
  static let largest = KernelOption(
    "largest", .number(0.25...1), initial: 0.9, help: "the largest height, as a share of the image's side")
  static let noise = noise(0.05)
  static let options: [any AnyKernelOption] = [rotation, smallest, largest, noise]

  let classes = (0..<10).map(String.init)
  private let digits: DigitForms
  private let turns: Double, low: Double, high: Double, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) throws {
    digits = try DigitForms(split)
    turns = options[Self.rotation] / 360
    low = options[Self.smallest] * Double(size)
    high = options[Self.largest] * Double(size)
    noise = options[Self.noise]
    guard low <= high else {
      throw WorkbenchError(
        "warped-digits has smallest=\(options[Self.smallest]) above largest=\(options[Self.largest]); exchange them."
      )
    }
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let image = digits.pick(label, using: &random)
    let turn = Direction(turns: random.between(-turns, turns))
    let side = random.between(low, high), middle = Double(canvas.size - 1) / 2
    let room = (Double(canvas.size) - side) / 2
    let x = middle + random.between(-room, room), y = middle + random.between(-room, room)
    digits.draw(image, x: x, y: y, magnification: side / 8, turn: turn, on: &canvas)
    canvas.addNoise(noise, using: &random)
    return []
  }
}
