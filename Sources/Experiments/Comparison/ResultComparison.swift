import Foundation
import Tensors

/// Compares two folders of results: for each network that both trained, whether the second is better or worse.
package struct ResultComparison {
  /// A network in both.
  struct Row {
    let network: ComparedTraining.Network
    let seeds: Int, images: Int
    let before: AccuracyEstimate, after: AccuracyEstimate
    let difference: AccuracyDifference
    var verdict: Verdict?
    var probability: Double?
  }

  /// What is compared, in the order of the names.
  private(set) var rows: [Row] = []
  /// Trainings that only one of the two has.
  private(set) var alone = (before: 0, after: 0)
  /// Trainings of regressions in the records, which are not compared.
  let regressions: (before: Int, after: Int)
  /// Whether images could be paired.
  let isByImage: Bool
  let margin: Double

  /// Compares two folders, or folders of commits; see `ResultSource`.
  ///
  /// - Throws: a ``WorkbenchError`` if there is nothing to compare.
  package init(_ before: String, _ after: String, margin: Double = Verdict.margin) throws {
    let found = try [before, after].map { text in
      try ResultSource.read(text) { folder in
        (
          records: try ComparedTraining.records(folder), tables: try ComparedTraining.tables(folder),
          regressions: try ComparedTraining.regressions(folder)
        )
      }
    }
    let hasRecords = found.allSatisfy { !$0.records.isEmpty }
    let trainings = found.map { hasRecords ? $0.records : $0.tables }
    for (text, found) in zip([before, after], trainings) where found.isEmpty {
      throw WorkbenchError(
        "\(text) holds no finished trainings with test images; give the output folder of a run or a sweep.")
    }
    self.margin = margin
    regressions = (found[0].regressions, found[1].regressions)
    isByImage = hasRecords
    compare(trainings[0], trainings[1])
    guard !rows.isEmpty else {
      throw WorkbenchError(
        "\(before) and \(after) have no training in common: kernel, model, replace, data and seed must be the same, and the recipe, as far as it is known."
      )
    }
  }

  private mutating func compare(_ before: [ComparedTraining], _ after: [ComparedTraining]) {
    let old = Dictionary(grouping: before, by: \.key), new = Dictionary(grouping: after, by: \.key)
    func scores(_ trainings: [ComparedTraining], _ seeds: Set<Int>) -> TestScores {
      var scores = TestScores(images: trainings[0].images)
      for training in trainings where seeds.contains(training.seed) {
        scores.add(seed: training.seed, top1: training.top1, isRight: training.isRight)
      }
      return scores
    }
    for (key, own) in old {
      let others = new[key] ?? []
      let seeds = Set(own.map(\.seed)).intersection(others.map(\.seed))
      guard let first = own.first, !seeds.isEmpty else { continue }
      let a = scores(own, seeds), b = scores(others, seeds)
      guard let before = a.accuracy, let after = b.accuracy, let difference = b.difference(from: a) else {
        continue
      }
      rows.append(
        Row(
          network: first.network, seeds: seeds.count, images: first.images, before: before, after: after,
          difference: difference))
    }
    let paired = rows.reduce(0) { $0 + $1.seeds }
    alone = (before.count - paired, after.count - paired)
    func order(_ network: ComparedTraining.Network) -> [String] {
      [network.group, network.data, network.model, network.replace, network.kernel]
    }
    rows.sort { order($0.network).lexicographicallyPrecedes(order($1.network)) }
    for (index, verdict) in Verdict.verdicts(rows.map(\.difference), margin: margin).enumerated() {
      rows[index].verdict = verdict?.verdict
      rows[index].probability = verdict?.probability
    }
  }

  /// How many networks have a verdict, or none.
  package func count(_ verdict: Verdict?) -> Int { rows.count { $0.verdict == verdict } }

  /// How many trainings only one of the two has.
  package var missing: Int { alone.before + alone.after }
}
