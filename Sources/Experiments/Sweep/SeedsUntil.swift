import Foundation
import Tensors

/// How seeds are added to a sweep until its verdicts are decided: a plan of looks, fixed before the first one.
///
/// Looking repeatedly and stopping at will produces differences that do not exist (Armitage, McPherson and Rowe,
/// 1969, DOI 10.2307/2343787). So the looks are planned, and each has its share of the 5 %: probabilities are
/// multiplied by the number of looks (Bonferroni). This is valid however the looks depend on each other.
package struct SeedsUntil: Sendable, Hashable {
  /// The margin within which networks count as equivalent, in points: every verdict is better, worse or this.
  let margin: Double
  /// How many seeds each network has at each look.
  let looks: [Int]

  /// The most seeds, where nothing else is said.
  package static let usualMost = 20
  /// The numbers that may be given instead.
  package static let limits = 2...10_000

  /// A plan from some first seeds to at most `most`, each look having 1.6 times as many as the one before.
  package init(margin: Double, most: Int, first seeds: [Int]) throws {
    guard seeds.count >= 2 else {
      throw WorkbenchError(
        "One seed has no interval; begin with at least two seeds to add more until verdicts are decided.")
    }
    guard most >= seeds.count else {
      throw WorkbenchError(
        "There are \(seeds.count) seeds already, more than most-seeds, \(most); raise it.")
    }
    var looks = [seeds.count]
    while let last = looks.last, last < most { looks.append(min(most, Int((1.6 * Double(last)).rounded()))) }
    self.margin = margin
    self.looks = looks
  }

  /// The seeds of a look: the first ones, and the numbers after the largest of them.
  func seeds(_ look: Int, first seeds: [Int]) -> [Int] {
    let next = (seeds.max() ?? -1) + 1
    return seeds + (next..<next + max(0, looks[look] - seeds.count))
  }
}

extension Sweep {
  /// The default number of seeds of a file.
  static let usualSeeds = 5

  /// The sweep with seeds added until all verdicts are decided within `margin` points, in every group that trains.
  ///
  /// - Parameter most: the most seeds of a network; nil for what the file says.
  package func until(_ margin: Double?, most: Int?) throws -> Sweep {
    Sweep(
      groups: try groups.map { group in
        guard group.recipe != nil, let margin = margin ?? group.until?.margin else { return group }
        var group = group
        group.until = try SeedsUntil(
          margin: margin, most: most ?? group.until?.looks.last ?? SeedsUntil.usualMost, first: group.seeds)
        return group
      }, experiment)
  }

  /// The sweep with another margin for verdicts, in all groups; nil changes nothing.
  package func margin(_ margin: Double?) throws -> Sweep {
    guard let margin else { return self }
    guard !addsSeeds else {
      throw WorkbenchError("The file has ‘until’, which sets the margin, too; leave out --margin.")
    }
    return Sweep(
      groups: groups.map { group in
        var group = group
        group.terms.margin = margin
        return group
      }, experiment)
  }

  /// Whether seeds are added.
  package var addsSeeds: Bool { groups.contains { $0.until != nil } }

  /// The same runs with a group for each table of verdicts, so that each can have its own number of seeds.
  var apart: Sweep {
    Sweep(
      groups: groups.flatMap { group -> [SweepGroup] in
        guard group.until != nil else { return [group] }
        let pairs = group.models.flatMap { model in group.data.map { (model, $0) } }
        return pairs.enumerated().map { index, pair in
          var part = group
          (part.models, part.data) = ([pair.0], [pair.1])
          if index > 0 { (part.operators, part.fields) = (nil, nil) }
          return part
        }
      }, experiment)
  }

  /// The sweep as it is at a look of each group.
  func at(_ looks: [Int]) -> Sweep {
    Sweep(
      groups: zip(groups, looks).map { group, look in
        guard let until = group.until else { return group }
        var group = group
        group.seeds = until.seeds(look, first: group.seeds)
        group.terms.margin = until.margin
        group.terms.looks = until.looks.count
        return group
      }, experiment)
  }
}
