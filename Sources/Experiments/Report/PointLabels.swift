import Foundation

/// Labels at the points of a picture, which replace a legend: each is placed so that it covers neither points nor
/// other labels, with a line to its point if it had to move away.
struct PointLabels {
  /// A point: its name, its pixel, and the ends of its interval.
  struct Item {
    let name: String, x: Double, y: Double
    var low: Double, high: Double
    /// How far its mark reaches.
    var radius = 6.0
  }

  /// A rectangle in pixels.
  struct Box {
    var left: Double, top: Double, right: Double, bottom: Double

    /// The area that two have in common.
    func overlap(_ other: Box) -> Double {
      max(0, min(right, other.right) - max(left, other.left))
        * max(0, min(bottom, other.bottom) - max(top, other.top))
    }

    func contains(_ x: Double, _ y: Double) -> Bool { left < x && x < right && top < y && y < bottom }
  }

  /// What draws the names.
  let commands: [String]
  /// The number of labels that could not be placed.
  let missing: Int

  /// A name in a place.
  private struct Candidate {
    let box: Box, anchor: (x: Double, y: Double), justification: String, radius: Double
  }

  /// Names for points.
  init(_ items: [Item], in frame: Frame) {
    let marks = items.map { item in
      Box(
        left: item.x - item.radius, top: item.y - item.radius, right: item.x + item.radius,
        bottom: item.y + item.radius)
    }
    let bars = items.map { item in
      Box(
        left: item.x - 1.5, top: min(item.low, item.high), right: item.x + 1.5,
        bottom: max(item.low, item.high))
    }
    // Those in the densest places have the fewest choices, and choose first.
    func neighbours(_ item: Item) -> Int {
      items.count { abs($0.x - item.x) < 60 && abs($0.y - item.y) < 30 }
    }
    let order = items.indices.sorted { (neighbours(items[$1]), $0) < (neighbours(items[$0]), $1) }
    var placed: [Box] = [], commands: [String] = [], missing = 0
    for index in order {
      let item = items[index]
      func crowd(_ box: Box) -> Double {
        placed.reduce(0) { $0 + $1.overlap(box) } + marks.reduce(0) { $0 + $1.overlap(box) }
      }
      func cost(_ candidate: Candidate) -> Double {
        let covered = bars.reduce(0) { $0 + $1.overlap(candidate.box) }
        let crossed = (1...6).count { step in
          let share = Double(step) / 7
          let x = item.x + share * (candidate.anchor.x - item.x)
          let y = item.y + share * (candidate.anchor.y - item.y)
          return placed.contains { $0.contains(x, y) }
        }
        return candidate.radius + 5 * crowd(candidate.box) + 0.4 * covered + 25 * Double(crossed)
      }
      let choices = Self.candidates(item).filter { frame.holds($0.box) }
      guard let best = choices.map({ ($0, cost($0)) }).min(by: { $0.1 < $1.1 })?.0, crowd(best.box) < 10
      else {
        missing += 1
        continue
      }
      placed.append(best.box)
      commands.append(
        "set label \(index + 1) \(Escape.gnuplot(item.name)) at \(frame.screen(best.anchor)) \(best.justification) font ',11' front"
      )
      guard best.radius > 15 else { continue }
      let start = (
        x: item.x + 6 * (best.anchor.x - item.x) / best.radius,
        y: item.y + 6 * (best.anchor.y - item.y) / best.radius
      )
      commands.append(
        "set arrow \(index + 1) from \(frame.screen(start)) to \(frame.screen(best.anchor)) nohead linewidth 0.7 linecolor rgb '#8A8A8A'"
      )
    }
    self.commands = commands
    self.missing = missing
  }

  /// The places around a point, nearest first.
  private static func candidates(_ item: Item) -> [Candidate] {
    let width = 6.6 * Double(item.name.count), half = 7.0
    return [9.0, 14, 22, 34, 50, 70, 95, 125].flatMap { radius -> [Candidate] in
      (0..<16).map { step -> Candidate in
        let angle = Double(step) * .pi / 8, along = cos(angle)
        let anchor = (x: item.x + radius * along, y: item.y - radius * sin(angle))
        let (justification, left): (String, Double) =
          along > 0.3
          ? ("left", anchor.x) : along < -0.3 ? ("right", anchor.x - width) : ("center", anchor.x - width / 2)
        return Candidate(
          box: Box(left: left, top: anchor.y - half, right: left + width, bottom: anchor.y + half),
          anchor: anchor, justification: justification, radius: radius)
      }
    }
  }
}
