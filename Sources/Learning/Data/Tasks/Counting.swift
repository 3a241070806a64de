import Kernels
import Tensors

/// How many discs are there?
struct Counting: ImageTask {
  static let facts = TaskFacts(
    name: "counting", summary: "how many discs are there?",
    definition:
      "One to `most` discs of different sizes and brightness are drawn on a dark background, at random positions in random cells of a grid, at least two pixels apart; then noise is added. The class is their number.",
    paper:
      "Seguí et al., 2015, Learning to count with deep object features, arXiv:1505.08082",
    about: "sums over the image: each object counts once, whatever its size",
    solution:
      "The solver counts connected components above a threshold; noise averages out over a disc, which has at least five pixels far above it."
  )
  static let most = KernelOption("most", .whole(2...64), initial: 8, help: "the largest number")
  static let noise = noise(0.15)
  static let options: [any AnyKernelOption] = [most, noise]

  let classes: [String]
  private let grid: Int, cell: Double, largest: Double, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) throws {
    let most = options[Self.most]
    classes = (1...most).map(String.init)
    var grid = 1
    while grid * grid < most { grid += 1 }
    self.grid = grid
    cell = Double(size) / Double(grid)
    largest = (cell - 2.5) / 2
    noise = options[Self.noise]
    guard largest >= 1.2 else {
      throw WorkbenchError(
        "counting has most=\(most), but \(most) discs do not fit into \(size)×\(size) pixels; choose fewer or larger images."
      )
    }
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    canvas.fill(26)
    var cells = Array(0..<grid * grid)
    for disc in 0...label {
      cells.swapAt(disc, disc + random.pick(cells.count - disc))
      let (row, column) = cells[disc].quotientAndRemainder(dividingBy: grid)
      let radius = random.between(1.2, largest), room = cell / 2 - 1.25 - radius
      // The middle of the first pixel is 0.
      let x = (Double(column) + 0.5) * cell - 0.5 + random.between(-room, room)
      let y = (Double(row) + 0.5) * cell - 0.5 + random.between(-room, room)
      let level = Int32(128 + random.pick(128)), square = radius * radius
      canvas.draw(level, x: x, y: y, reach: radius) { $0 * $0 + $1 * $1 < square }
    }
    canvas.addNoise(noise, using: &random)
    return []
  }
}
