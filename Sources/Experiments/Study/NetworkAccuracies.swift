import Learning

/// The terms of verdicts.
package struct VerdictTerms: Sendable, Hashable {
  /// The largest difference that counts as equivalent, in points of accuracy.
  package var margin = Verdict.margin
  /// How often the table may be looked at before its last seeds are trained.
  package var looks = 1

  /// The usual terms.
  package init() {}
}

/// The test accuracies of a table's networks, each compared with the standard one.
struct NetworkAccuracies {
  /// One network.
  struct Row {
    let accuracy: AccuracyEstimate
    /// To the standard network, over the seeds that both have; the standard one's to itself is 0, without an interval.
    let difference: AccuracyDifference?
    /// What can be said of it, and the probability of such a difference between equally good networks.
    var verdict: Verdict?
    var probability: Double?

    /// Whether intervals take the images one by one, as a cell; nil where there is none.
    var imagesNote: String? {
      accuracy.interval == nil
        ? nil : accuracy.isByImage && difference?.isByImage ?? true ? "paired" : "unpaired"
    }
  }

  /// By kernel; none for a regression, or without a finished training.
  private(set) var rows: [String: Row] = [:]

  /// The finished ones among some trainings.
  ///
  /// - Parameter terms: of the verdicts.
  init(
    _ runs: [TrainedRun], of kernels: [String], standard: String, images: Int,
    _ terms: VerdictTerms = VerdictTerms()
  ) {
    func scores(_ kernel: String) -> TestScores {
      var scores = TestScores(images: images)
      for run in runs where run.kernel == kernel && run.isFinished {
        guard let test = run.chosen?.test, let top1 = test.top1 else { continue }
        scores.add(seed: run.seed, top1: top1, isRight: test.hits?.values(images))
      }
      return scores
    }
    let all = Dictionary(uniqueKeysWithValues: Set(kernels + [standard]).map { ($0, scores($0)) })
    let yardstick = scores(standard), usual = TestScores.usualVariance(Array(all.values))
    for kernel in kernels {
      let own = all[kernel] ?? TestScores(images: images)
      rows[kernel] = own.accuracy.map {
        Row(
          accuracy: $0,
          difference: kernel == standard ? .none($0) : own.difference(from: yardstick, usual: usual))
      }
    }
    let others = kernels.filter { $0 != standard }
    let verdicts = Verdict.verdicts(
      others.map { rows[$0]?.difference }, margin: terms.margin, looks: terms.looks)
    for (kernel, verdict) in zip(others, verdicts) {
      rows[kernel]?.verdict = verdict?.verdict
      rows[kernel]?.probability = verdict?.probability
    }
  }
}
