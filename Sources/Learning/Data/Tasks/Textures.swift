import Kernels
import Tensors

/// Random textures that differ in how neighbouring pixels go together.
struct Textures: ImageTask {
  static let facts = TaskFacts(
    name: "textures", summary: "which of eight random textures?",
    definition:
      "Row by row, each pixel copies its neighbour in the texture's direction (left, above, above left or above right) with probability `copy`; otherwise it is light with probability 0.4 or 0.6. Direction and lightness are the class. Light and dark are 0.7 and 0.3, and noise is added.",
    paper:
      "Julesz, 1962, Visual Pattern Discrimination, IRE Transactions on Information Theory 8(2), doi:10.1109/TIT.1962.1057698",
    about:
      "local statistics without shape: single pixels give the lightness, neighbours the direction; distant pixels do not help",
    solution:
      "Neighbours in the texture's direction are equal with probability (1 + copy) / 2 or more, other neighbours with less. Over all pixels of an image these counts separate the classes."
  )
  static let copy = KernelOption(
    "copy", .number(0...1), initial: 0.3, help: "how often a pixel copies its neighbour")
  static let noise = noise(0.1)
  static let options: [any AnyKernelOption] = [copy, noise]

  let classes = ["dark", "light"].flatMap { lightness in
    ["left", "above", "above left", "above right"].map { "\(lightness), \($0)" }
  }
  private let copy: UInt64, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) {
    copy = UInt64(options[Self.copy] * 65_536 + 0.5)
    noise = options[Self.noise]
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let size = canvas.size
    let (down, right) = [(0, -1), (-1, 0), (-1, -1), (-1, 1)][label % 4]
    // In 65536ths: 0.4 and 0.6 up to rounding.
    let light: UInt64 = label < 4 ? 26_214 : 39_322
    for row in 0..<size {
      for column in 0..<size {
        let draw = random.next(), fromRow = row + down, fromColumn = column + right
        let isCopy = draw & 0xffff < copy && fromRow >= 0 && fromColumn >= 0 && fromColumn < size
        canvas[row, column] =
          isCopy ? canvas[fromRow, fromColumn] : (draw >> 16 & 0xffff < light ? 179 : 77)
      }
    }
    canvas.addNoise(noise, using: &random)
    return []
  }
}
