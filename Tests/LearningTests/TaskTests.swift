import Foundation
import Kernels
import Tensors
import Testing

@testable import Learning

/// The tasks' images: right answers, balance, splits, limits.
@Suite struct TaskTests {
  static let names = DataSource.tasks.map(\.name)

  @Test(arguments: names) func areBalancedDisjointAndTheSameEveryTime(_ name: String) throws {
    let item = "\(name):size=24:train=130:validation=70:test=260"
    let data = try Dataset.load(item), again = try Dataset.load(item)
    #expect(data.train.images == again.train.images && data.test.images == again.test.images)
    #expect(data.train.images.shape == [130, 24, 24, 1] && data.test.images.shape == [260, 24, 24, 1])
    if !data.isRegression {
      var counts = Array(repeating: 0, count: data.classes)
      for label in data.test.labels { counts[label] += 1 }
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1 && counts.allSatisfy { $0 > 0 })
    }
    // The mean of some images of one split is not that of another; no image occurs twice.
    func images(_ examples: Examples) -> Set<[Float]> {
      let values = examples.images.values
      return Set((0..<examples.count).map { Array(values[$0 * 576..<($0 + 1) * 576]) })
    }
    let train = images(data.train), test = images(data.test)
    #expect(train.count == 130 && test.count == 260 && train.isDisjoint(with: test))
    let validation = images(try #require(data.validation))
    #expect(validation.count == 70 && validation.isDisjoint(with: train.union(test)))
    // An image does not depend on how many there are, but on the seed.
    let more = try Dataset.load("\(name):size=24:train=130:validation=70:test=300")
    #expect(images(more.test).isSuperset(of: test))
    let other = try Dataset.load(item + ":seed=1")
    #expect(images(other.test).isDisjoint(with: test))
  }

  @Test(arguments: [
    ("sprites:size=15", "from 16 to 256"), ("sprites:train=0", "a whole number from 1"),
    ("sprites:size=256:test=1000000", "pixels in all"), ("sprites:smallest=0.4:largest=0.2", "exchange"),
    ("warped-digits:smallest=0.9:largest=0.5", "exchange"), ("scales:smallest=200", "above its largest"),
    ("pathfinder:dashes=32", "they must have"), ("pathfinder:dashes=1:dash=1", "they must have"),
    ("counting:most=64:size=16", "do not fit"), ("gratings:orientations=1", "from 2 to 32"),
    ("textures:copy=2", "a number from 0 to 1"), ("position:distractors=-1", "from 0 to 16"),
    ("same-different:figures=9", "from 2 to 8"), ("cluttered-digits:height=nan", "a number from"),
  ])
  func refusesOptionsThatMakeNoImages(item: String, reason: String) {
    do {
      _ = try Dataset.load(item)
      Issue.record("\(item) was accepted")
    } catch { #expect("\(error)".contains(reason), "\(error)") }
  }

  /// Every option at its limits makes images or a sentence.
  @Test(arguments: names) func holdsAtItsOptionsLimits(_ name: String) throws {
    let source = try #require(DataSource.tasks.first { $0.name == name })
    let texts = [
      "0", "1", "2", "3", "4", "8", "16", "32", "64", "90", "180", "256", "0.01", "0.1", "0.25", "0.4", "0.5",
      "0.8", "1",
    ]
    for option in source.options where !["train", "validation", "test", "seed"].contains(option.name) {
      for text in texts where option.canonical(text) != nil {
        for size in [16, 33] where option.name != "size" || size == 16 {
          let place = option.name == "size" ? "" : ":size=\(size)"
          do {
            let data = try Dataset.load(
              "\(name):\(option.name)=\(text)\(place):train=40:validation=1:test=40")
            let isFinite = data.train.images.values.allSatisfy { $0.isFinite }
            #expect(isFinite)
          } catch let refusal as WorkbenchError { #expect(refusal.description.hasSuffix(".")) }
        }
      }
    }
  }

  /// Pixels as levels, and what is asked, without normalisation.
  private func drawn<Task: ImageTask>(
    _: Task.Type, _ options: [String: String] = [:], size: Int = 32, count: Int = 400
  ) throws -> [(canvas: Canvas, label: Int, values: [Float])] {
    let given = try KernelOptions(
      options.map { ($0.key, $0.value) }, among: Task.options, of: Task.facts.name)
    let task = try Task(given, size: size, split: .test)
    return (0..<count).map { index in
      var canvas = Canvas(size: size), random = Random(seed: UInt64(index))
      let label = Task.isRegression ? 0 : index % task.classes.count
      let values = task.draw(label, on: &canvas, using: &random)
      return (canvas, label, values)
    }
  }

  /// The share of images that a solver gets right.
  private func share<Task: ImageTask>(
    _ task: Task.Type, _ options: [String: String] = [:], size: Int = 32, count: Int = 400,
    _ solve: (Canvas) -> Int
  ) throws -> Double {
    let images = try drawn(task, options, size: size, count: count)
    return Double(images.count { solve($0.canvas) == $0.label }) / Double(images.count)
  }

  /// Places of a canvas where a condition holds, in parts that are at most `reach` apart in both directions.
  private func parts(_ canvas: Canvas, reach: Int, _ holds: (Int32) -> Bool) -> [[Int]] {
    let size = canvas.size
    var isOpen = canvas.levels.map(holds), result: [[Int]] = []
    for start in isOpen.indices where isOpen[start] {
      var part = [start], next = 0
      isOpen[start] = false
      while next < part.count {
        let (row, column) = part[next].quotientAndRemainder(dividingBy: size)
        next += 1
        for y in max(0, row - reach)...min(size - 1, row + reach) {
          for x in max(0, column - reach)...min(size - 1, column + reach) where isOpen[y * size + x] {
            isOpen[y * size + x] = false
            part.append(y * size + x)
          }
        }
      }
      result.append(part)
    }
    return result
  }

  /// From one dot all light pixels within the gap's reach are followed; the noise is left out.
  @Test(arguments: [(32, ""), (16, "2"), (48, "6")]) func pathsLeadFromDotToDot(size: Int, dashes: String)
    throws
  {
    let options = ["noise": "0"].merging(dashes.isEmpty ? [:] : ["dashes": dashes]) { $1 }
    let right = try share(Pathfinder.self, options, size: size) { canvas in
      let dots = parts(canvas, reach: 1) { $0 == 255 }
      guard dots.count == 2, dots.allSatisfy({ $0.count == 9 }) else { return -1 }
      let path = parts(canvas, reach: 2) { $0 > 51 }.first { $0.contains(dots[0][0]) } ?? []
      return path.contains(dots[1][0]) ? 0 : 1
    }
    #expect(right == 1)
  }

  /// The distance of the dots alone tells little, as both kinds have much the same.
  @Test func distanceOfDotsIsNoAnswer() throws {
    let found = try drawn(Pathfinder.self, ["noise": "0"], count: 2000).map { image -> (Double, Int) in
      let dots = parts(image.canvas, reach: 1) { $0 == 255 }.map(\.[4])
      let down = Double(dots[0] / 32 - dots[1] / 32), right = Double(dots[0] % 32 - dots[1] % 32)
      return ((down * down + right * right).squareRoot(), image.label)
    }
    let best =
      stride(from: 0.0, through: 32, by: 0.5).map { limit in
        let share = Double(found.count { ($0.0 > limit) == ($0.1 == 0) }) / 2000
        return max(share, 1 - share)
      }.max() ?? 1
    #expect(best < 0.65, "\(best)")
  }

  @Test func figuresAreComparedPixelByPixel() throws {
    let right = try share(SameDifferent.self, ["noise": "0", "figures": "8"]) { canvas in
      let figures = parts(canvas, reach: 2) { $0 == 255 }
      guard figures.count == 2 else { return -1 }
      let shapes = figures.map { figure -> Set<[Int]> in
        let top = figure.map { $0 / 32 }.min() ?? 0, left = figure.map { $0 % 32 }.min() ?? 0
        return Set(figure.map { [$0 / 32 - top, $0 % 32 - left] })
      }
      return shapes[0] == shapes[1] ? 0 : 1
    }
    #expect(right == 1)
  }

  /// The bounding box of what is light, in 3×3 cells.
  @Test func figuresAreReadAtEverySize() throws {
    let right = try share(Scales.self, ["noise": "0"], count: 2000) { canvas in
      let dark = canvas.levels.min() ?? 0
      let light = canvas.levels.indices.filter { canvas.levels[$0] > dark }
      let rows = light.map { $0 / 32 }, columns = light.map { $0 % 32 }
      let top = rows.min()!, left = columns.min()!, extent = rows.max()! - top + 1
      guard columns.max()! - left + 1 == extent else { return -1 }
      let cells = (0..<9).map { cell in
        // The first pixel whose cell it is.
        let row = top + (cell / 3 * extent + 2) / 3, column = left + (cell % 3 * extent + 2) / 3
        return canvas[row, column] > dark
      }
      return Scales.cells.firstIndex(of: cells) ?? -1
    }
    #expect(right == 1)
  }

  @Test(arguments: [(32, "8"), (32, "16"), (16, "8")]) func discsAreCounted(size: Int, most: String) throws {
    let right = try share(Counting.self, ["noise": "0", "most": most], size: size) { canvas in
      parts(canvas, reach: 1) { $0 > 51 }.count - 1
    }
    #expect(right == 1)
  }

  /// How often pixels are equal to their neighbours in the four directions, and how many are light.
  @Test func texturesAreReadFromPairsOfPixels() throws {
    let right = try share(Textures.self, ["noise": "0"], count: 800) { canvas in
      let steps = [(0, -1), (-1, 0), (-1, -1), (-1, 1)]
      let equal = steps.map { down, right in
        (1..<32).reduce(0) { sum, row in
          sum + (1..<31).count { canvas[row, $0] == canvas[row + down, $0 + right] }
        }
      }
      let direction = equal.indices.max { equal[$0] < equal[$1] } ?? 0
      return (canvas.levels.count { $0 > 128 } > 512 ? 4 : 0) + direction
    }
    #expect(right >= 0.99, "\(right)")
  }

  /// The power of each class's wave: a matched filter, with the noise.
  @Test func wavesAreFoundByTheirPower() throws {
    let task = Gratings(KernelOptions(), size: 32, split: .test)
    let right = try share(Gratings.self, count: 320) { canvas in
      let powers = task.frequencies.map { wave in
        var real = 0.0, imaginary = 0.0
        for row in 0..<32 {
          for column in 0..<32 {
            let angle = 2 * Double.pi * (wave.x * Double(column) + wave.y * Double(row))
            real += Double(canvas[row, column] - 128) * cos(angle)
            imaginary += Double(canvas[row, column] - 128) * sin(angle)
          }
        }
        return real * real + imaginary * imaginary
      }
      return powers.indices.max { powers[$0] < powers[$1] } ?? 0
    }
    #expect(right >= 0.99, "\(right)")
  }

  /// Without rings and noise the disc is the centre of what is light; four samples a pixel leave some tenths of a pixel.
  @Test func discsAreWhereTheValuesSay() throws {
    for image in try drawn(Position.self, ["noise": "0", "distractors": "0"], count: 200) {
      var sum = 0.0, x = 0.0, y = 0.0
      for row in 0..<32 {
        for column in 0..<32 {
          let light = Double(image.canvas[row, column] - 51)
          (sum, x, y) = (sum + light, x + light * Double(column), y + light * Double(row))
        }
      }
      #expect(abs((x / sum - 15.5) / 16 - Double(image.values[0])) < 0.02)
      #expect(abs((y / sum - 15.5) / 16 - Double(image.values[1])) < 0.02)
    }
  }

  private struct Fixture: Decodable {
    let hash: String
    let first: [Int32]
    let values: [Float]
  }

  /// Tests/Scripts/tasks.py has the definitions a second time, in Python.
  @Test func haveTheBitsOfASecondProgram() throws {
    let url = try #require(
      Bundle.module.url(forResource: "Fixtures/tasks", withExtension: "json"))
    let fixtures = try JSONDecoder().decode([String: Fixture].self, from: Data(contentsOf: url))
    #expect(fixtures.count == 6)
    for (name, fixture) in fixtures {
      let source = try #require(DataSource.tasks.first { $0.name == name })
      let (levels, values) = try source.levels(8)
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for level in levels { hash = (hash ^ UInt64(level)) &* 0x100_0000_01b3 }
      #expect(levels.prefix(8).map(Int32.init) == fixture.first, "\(name)")
      #expect(String(hash, radix: 16) == String(UInt64(fixture.hash, radix: 16) ?? 0, radix: 16), "\(name)")
      #expect(values == fixture.values, "\(name)")
    }
  }

  /// Levels of the first test images with the defaults: all tasks, so that no change goes unnoticed. Those that Python has
  /// too are right; the others are what this program drew when they were made.
  @Test(arguments: names) func areTheSameOnEveryMachine(_ name: String) throws {
    let source = try #require(DataSource.tasks.first { $0.name == name })
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for level in try source.levels(8).levels { hash = (hash ^ UInt64(level)) &* 0x100_0000_01b3 }
    #expect(String(hash, radix: 16) == Self.hashes[name], "\(name)")
  }

  static let hashes = [
    "warped-digits": "5c8f48c0bb0ea4f8", "cluttered-digits": "4c6a816b47147b6b",
    "pathfinder": "cf035977559d73", "same-different": "8df7dfc4d694a8ee", "sprites": "9e6b8985374915e9",
    "scales": "8ea3e3e4019f6a27", "gratings": "27de5b95697c89f0", "textures": "b33d9506a077779f",
    "counting": "a5970eb16df8ff98", "position": "ff6dba1571b36bcf",
  ]

  /// Writers of one split are in no other, and each split has all classes.
  @Test func writersAreApart() {
    let ranges = Dataset.Split.allCases.map(DigitForms.range)
    #expect(ranges.map(\.lowerBound) == [0, 1287, 1415] && ranges.map(\.upperBound) == [1287, 1415, 1797])
  }

  /// Against the C library's, whose last bit may differ.
  @Test func directionsAreTheirCosinesAndSines() {
    for step in -500...500 {
      let turns = Double(step) / 173, direction = Direction(turns: turns)
      #expect(abs(direction.cosine - cos(2 * .pi * turns)) < 1e-14)
      #expect(abs(direction.sine - sin(2 * .pi * turns)) < 1e-14)
    }
  }

  /// A million draws: mean 0 and the deviation that was asked for, up to what chance does.
  @Test func noiseHasItsDeviation() {
    var canvas = Canvas(size: 256), random = Random(seed: 7), sum = 0.0, squares = 0.0
    for _ in 0..<16 {
      canvas.fill(0)
      canvas.addNoise(0.1, using: &random)
      for level in canvas.levels {
        sum += Double(level)
        squares += Double(level) * Double(level)
      }
    }
    let count = 16.0 * 65_536
    #expect(abs(sum / count) < 0.1)
    // Rounding to whole levels adds 1/12 to the variance: 25.5² + 1/12.
    #expect(abs((squares / count).squareRoot() - 25.502) < 0.1)
  }
}

extension DataSource {
  /// The levels of the first test images at 32×32 with the defaults, and what a regression asks.
  fileprivate func levels(_ count: Int) throws -> (levels: [UInt8], values: [Float]) {
    func draw<Task: ImageTask>(_: Task.Type) throws -> (levels: [UInt8], values: [Float]) {
      let examples = try TaskData.images(
        Task(KernelOptions(), size: 32, split: .test), .test, count: count, size: 32, seed: 0)
      let values: [Float] = if case .values(let values) = examples.targets { values } else { [] }
      return (examples.images.values.map { UInt8(($0 * 255).rounded()) }, values)
    }
    guard let task else { throw WorkbenchError("\(name) is no task.") }
    return try draw(task)
  }
}
