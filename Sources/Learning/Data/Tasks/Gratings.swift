import Kernels
import Tensors

/// Waves in noise: which direction, which frequency?
struct Gratings: ImageTask {
  static let facts = TaskFacts(
    name: "gratings", summary: "which direction and frequency does a wave in noise have?",
    definition:
      "A sine wave over the whole image, 0.5 + contrast · sin(2π f (x cos θ + y sin θ) + phase), with a random phase, in noise. The class is one of `orientations` directions θ, equally spaced over half a turn, combined with one of `frequencies` frequencies f, beginning at 1/10 of a period per pixel, each 1.5 times the one before.",
    paper:
      "Daugman, 1985, Uncertainty relation for resolution in space, spatial frequency, and orientation optimized by two-dimensional visual cortical filters, JOSA A 2(7), doi:10.1364/JOSAA.2.001160",
    about: "direction and frequency: oriented, long and asymmetric windows",
    solution:
      "The answer is the class whose wave has the most power in the image's Fourier transform; at 32×32 the amplitude is some nine standard deviations above the noise."
  )
  static let orientations = KernelOption(
    "orientations", .whole(2...32), initial: 8, help: "how many directions")
  static let frequencies = KernelOption(
    "frequencies", .whole(1...4), initial: 2, help: "how many frequencies")
  static let contrast = KernelOption(
    "contrast", .number(0.01...0.5), initial: 0.12,
    help: "the wave's amplitude; 1 is the range from black to white")
  static let noise = noise(0.3)
  static let options: [any AnyKernelOption] = [orientations, frequencies, contrast, noise]

  let classes: [String]
  private let waves: [(x: Double, y: Double)]
  private let amplitude: Double, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) {
    let orientations = options[Self.orientations], frequencies = options[Self.frequencies]
    var waves: [(x: Double, y: Double)] = [], classes: [String] = []
    for orientation in 0..<orientations {
      let direction = Direction(turns: Double(orientation) / Double(2 * orientations))
      var frequency = 0.1
      for _ in 0..<frequencies {
        waves.append((frequency * direction.cosine, frequency * direction.sine))
        classes.append("\(180 * orientation / orientations)° 1/\(Int(1 / frequency + 0.5))")
        frequency *= 1.5
      }
    }
    self.waves = waves
    self.classes = classes
    amplitude = options[Self.contrast] * 255
    noise = options[Self.noise]
  }

  /// Periods in a pixel to the right and downwards, of each class.
  var frequencies: [(x: Double, y: Double)] { waves }

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    let wave = waves[label], phase = random.uniform()
    let step = Direction(turns: wave.x)
    for row in 0..<canvas.size {
      // Turned from pixel to pixel by the addition theorems.
      var point = Direction(turns: phase + wave.y * Double(row))
      for column in 0..<canvas.size {
        canvas[row, column] = Int32(128 + amplitude * point.sine)
        point = point.turned(by: step)
      }
    }
    canvas.addNoise(noise, using: &random)
    return []
  }
}

extension Direction {
  fileprivate init(_ cosine: Double, _ sine: Double) {
    self.cosine = cosine
    self.sine = sine
  }

  fileprivate func turned(by other: Direction) -> Direction {
    Direction(
      cosine * other.cosine - sine * other.sine, sine * other.cosine + cosine * other.sine)
  }
}
