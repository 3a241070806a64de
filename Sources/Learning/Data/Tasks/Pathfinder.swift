import Kernels
import Tensors

/// Two dots: are they the ends of one dashed path?
struct Pathfinder: ImageTask {
  static let facts = TaskFacts(
    name: "pathfinder", summary: "are two dots the ends of one dashed path?",
    definition:
      "There are two winding dashed paths of `dashes` dashes and some shorter ones, all apart from each other. In one class two dots mark both ends of one path; in the other they mark an end of each path, about equally far apart. A dash is `dash` pixels long, a gap `gap` pixels, and a path turns by up to `turn` degrees after each dash; noise is added.",
    paper:
      "Linsley et al., 2018, Learning long-range spatial dependencies with horizontal gated recurrent units, arXiv:1805.08315",
    about: "long range: a path is followed from end to end",
    solution:
      "Dashes of one path are closer than those of different paths: starting at one dot and moving to light pixels within `gap` + 1, one either reaches the other dot or does not."
  )
  static let dashes = KernelOption("dashes", .whole(1...32), initial: 4, help: "dashes of each long path")
  static let dash = KernelOption("dash", .whole(1...16), initial: 3, help: "a dash's length, in pixels")
  static let gap = KernelOption("gap", .whole(0...4), initial: 1, help: "the gap between dashes, in pixels")
  static let turn = KernelOption(
    "turn", .number(0...90), initial: 35, help: "the largest turn after a dash, in degrees")
  static let distractors = KernelOption("distractors", .whole(0...8), initial: 2, help: "shorter paths")
  static let noise = noise(0.08)
  static let options: [any AnyKernelOption] = [dashes, dash, gap, turn, distractors, noise]

  let classes = ["joined", "apart"]
  private let size: Int, dashes: Int, dash: Int, gap: Int, turns: Double, distractors: Int, noise: Double

  init(_ options: KernelOptions, size: Int, split: Dataset.Split) throws {
    self.size = size
    dashes = options[Self.dashes]
    dash = options[Self.dash]
    gap = options[Self.gap]
    turns = options[Self.turn] / 360
    distractors = options[Self.distractors]
    noise = options[Self.noise]
    let length = dashes * (dash + gap) - gap
    guard length >= 3, length + gap + 8 <= size else {
      throw WorkbenchError(
        "pathfinder has paths of \(length) pixels (\(dashes) dashes of \(dash) with gaps of \(gap)); for images of \(size)×\(size) they must have 3 to \(size - gap - 8)."
      )
    }
  }

  /// The pixels of a path in order, as places on the canvas; of the gaps too.
  private typealias Path = [(row: Int, column: Int)]

  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float] {
    var isTaken = Array(repeating: false, count: size * size)
    let (first, second, dots) = pair(isJoined: label == 0, &isTaken, &random)
    var paths = [first, second]
    for _ in 0..<distractors {
      // Half as long, at least one dash; left out where there is no room.
      guard let path = walk(max(1, dashes / 2), isTaken, &random) else { continue }
      take(path, &isTaken)
      paths.append(path)
    }
    canvas.fill(51)
    for path in paths {
      for (index, place) in path.enumerated() where index % (dash + gap) < dash {
        canvas[place.row, place.column] = 178
      }
    }
    for dot in dots {
      for row in dot.row - 1...dot.row + 1 {
        for column in dot.column - 1...dot.column + 1 { canvas[row, column] = 255 }
      }
    }
    canvas.addNoise(noise, using: &random)
    return []
  }

  /// Two long paths and the places of the dots.
  private func pair(
    isJoined: Bool, _ isTaken: inout [Bool], _ random: inout Random
  ) -> (first: Path, second: Path, dots: Path) {
    for _ in 0..<40 {
      guard let first = walk(dashes, isTaken, &random) else { continue }
      var taken = isTaken
      take(first, &taken)
      guard let second = walk(dashes, taken, &random) else { continue }
      let ends = [first[0], first[first.count - 1]], others = [second[0], second[second.count - 1]]
      var dots = ends
      if !isJoined {
        // The ends of both paths that are most nearly as far apart as those of one.
        let wanted = Self.distance(ends[0], ends[1])
        var nearest = Double.infinity
        for end in ends {
          for other in others {
            let error = abs(Self.distance(end, other) / wanted - 1)
            if error < nearest { (nearest, dots) = (error, [end, other]) }
          }
        }
        guard nearest < 0.2 else { continue }
      }
      take(second, &taken)
      isTaken = taken
      return (first, second, dots)
    }
    // No luck: two straight ones, which always fit.
    let length = dashes * (dash + gap) - gap, start = (size - length) / 2, isUpright = random.pick(2) == 1
    let row = 2 + random.pick(size - gap - 8)
    let paths = [row, row + gap + 4].map { row -> Path in
      (start..<start + length).map { isUpright ? ($0, row) : (row, $0) }
    }
    paths.forEach { take($0, &isTaken) }
    return (paths[0], paths[1], [paths[0][0], paths[isJoined ? 0 : 1][length - 1]])
  }

  private static func distance(_ one: (row: Int, column: Int), _ other: (row: Int, column: Int)) -> Double {
    let down = Double(one.row - other.row), right = Double(one.column - other.column)
    return (down * down + right * right).squareRoot()
  }

  /// A path over free places, by chance; nil if none is found in a few tries.
  private func walk(_ dashes: Int, _ isTaken: [Bool], _ random: inout Random) -> Path? {
    let length = dashes * (dash + gap) - gap
    let low = 1.5, high = Double(size) - 2.5
    search: for _ in 0..<12 {
      var path: Path = []
      path.reserveCapacity(length)
      var x = random.between(low, high), y = random.between(low, high), turn = random.uniform()
      var direction = Direction(turns: turn)
      for step in 0..<length {
        if step > 0, step % (dash + gap) == 0 {
          turn += random.between(-turns, turns)
          direction = Direction(turns: turn)
        }
        guard x >= low, x < high, y >= low, y < high else { continue search }
        let row = Int(y + 0.5), column = Int(x + 0.5)
        guard !isTaken[row * size + column] else { continue search }
        path.append((row, column))
        x += direction.cosine
        y += direction.sine
      }
      return path
    }
    return nil
  }

  /// Takes the places that others must keep away from: further than two dots and the longest step within a path reach.
  private func take(_ path: Path, _ isTaken: inout [Bool]) {
    let reach = gap + 3
    for place in path {
      let rows = max(0, place.row - reach)...min(size - 1, place.row + reach)
      for column in max(0, place.column - reach)...min(size - 1, place.column + reach) {
        for row in rows { isTaken[row &* size &+ column] = true }
      }
    }
  }
}
