import Kernels
import Tensors

/// A digit somewhere among pieces of others.
struct ClutteredDigits: ImageTask {
  static let facts = TaskFacts(
    name: "cluttered-digits", summary: "which digit, among pieces of others?",
    definition:
      "One of the embedded handwritten digits is drawn upright at a random position, `height` of the image's side high, among `distractors` quarters of other digits (4×4 of their 8×8 pixels) at the same magnification; where two overlap, the lighter one is visible. Training, validation and test images are of different forms, so almost always of different writers.",
    paper:
      "Mnih et al., 2014, Recurrent Models of Visual Attention, arXiv:1406.6247 (their cluttered translated MNIST)",
    about: "attention: only one object matters",
    solution:
      "The digit is the only complete one. Where pieces cover it, or form another digit, even people fail, so 100 % is an upper bound."
  )
  static let height = KernelOption(
    "height", .number(0.25...1), initial: 0.5, help: "the digit's height, as a share of the image's side")
  static let distractors = KernelOption(
    "distractors", .whole(0...64), initial: 4, help: "the number of pieces of other digits")
  static let noise = noise(0.05)
  static let options: [any AnyKernelOption] = [height, distractors, noise]

  let classes = (0..<10).map(String.init)
  private let digits: DigitForms
  private let side: Double, distractors: Int, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) throws {
    digits = try DigitForms(split)
    side = options[Self.height] * Double(size)
    distractors = options[Self.distractors]
    noise = options[Self.noise]
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let middle = Double(canvas.size - 1) / 2, magnification = side / 8
    func place(_ side: Double) -> Double {
      let room = (Double(canvas.size) - side) / 2
      return middle + random.between(-room, room)
    }
    let image = digits.pick(label, using: &random), x = place(side), y = place(side)
    digits.draw(image, x: x, y: y, magnification: magnification, on: &canvas)
    for _ in 0..<distractors {
      let other = digits.pick(random.pick(10), using: &random)
      let row = random.pick(5), column = random.pick(5), x = place(side / 2), y = place(side / 2)
      digits.draw(
        other, rows: row..<row + 4, columns: column..<column + 4, x: x, y: y, magnification: magnification,
        on: &canvas)
    }
    canvas.addNoise(noise, using: &random)
    return []
  }
}
