import Kernels
import Tensors

/// A figure of 3×3 cells at any size.
struct Scales: ImageTask {
  static let facts = TaskFacts(
    name: "scales", summary: "which figure, at a size from 3 pixels to nearly the whole image?",
    definition:
      "One of eight figures that fill five of 3×3 cells (+, ×, T, ⊥, L, Γ, Z, S) is drawn upright, light on dark, at a size from `smallest` pixels to `largest` of the image's side (size s with probability proportional to 1/s), at a random position; then noise is added. All figures have the same area.",
    paper:
      "Xu et al., 2014, Scale-Invariant Convolutional Neural Networks, arXiv:1411.6369",
    about: "many scales at once: dilation, parallel windows, large windows",
    solution:
      "Dividing the figure's bounding box into 3×3 cells gives the figure exactly, at 3 pixels as at 28. Noise hides a few of the faintest figures of 3 pixels; without noise all can be read."
  )
  static let smallest = KernelOption(
    "smallest", .whole(3...256), initial: 3, help: "the smallest size, in pixels")
  static let largest = KernelOption(
    "largest", .number(0.1...1), initial: 0.875, help: "the largest size, as a share of the image's side")
  static let noise = noise(0.15)
  static let options: [any AnyKernelOption] = [smallest, largest, noise]

  let classes = ["+", "×", "T", "⊥", "L", "Γ", "Z", "S"]
  /// Rows of cells, for each class.
  static let cells: [[Bool]] = [
    "010111010", "101010101", "111010010", "010010111", "100100111", "111100100", "110010011", "011010110",
  ].map { $0.map { $0 == "1" } }

  private let noise: Double, smallest: Int
  /// The share of sizes up to each, from the smallest on.
  private let shares: [Double]

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) throws {
    noise = options[Self.noise]
    smallest = options[Self.smallest]
    let largest = Int(options[Self.largest] * Double(size))
    guard smallest <= largest else {
      throw WorkbenchError(
        "scales has smallest=\(smallest) above its largest, \(options[Self.largest]) of \(size) pixels; choose a smaller one."
      )
    }
    var sum = 0.0
    let sums = (smallest...largest).map { extent in
      sum += 1 / Double(extent)
      return sum
    }
    shares = sums.map { $0 / sum }
  }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let chance = random.uniform()
    let extent = smallest + (shares.firstIndex { chance < $0 } ?? shares.count - 1)
    let top = random.pick(canvas.size - extent + 1), left = random.pick(canvas.size - extent + 1)
    let dark = Int32(38 + random.pick(39)), light = dark + Int32(102 + random.pick(52))
    let cells = Self.cells[label]
    canvas.fill(dark)
    for row in 0..<extent {
      let cellRow = row * 3 / extent * 3
      for column in 0..<extent where cells[cellRow + column * 3 / extent] {
        canvas[top + row, left + column] = light
      }
    }
    canvas.addNoise(noise, using: &random)
    return []
  }
}
