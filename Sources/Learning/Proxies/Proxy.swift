/// A number computed in one or a few passes over an untrained network, which is meant to rank networks by the
/// accuracy that they would reach. docs/proxies.md has the formulas.
///
/// Weights are the parameters of two or more axes: of convolutions, adders, offset predictors, attention, classifiers;
/// biases and normalisations' γ and β are left out, as in Abdelfattah et al. (2021, arXiv:2101.08134).
package enum Proxy: String, Sendable, CaseIterable, Codable, CodingKeyRepresentable {
  /// The sum over weights of the norm of the loss's gradient.
  case gradNorm = "grad_norm"
  /// Σ |w · ∂L/∂w| (Lee et al., 2019, arXiv:1810.02340).
  case snip
  /// −Σ w · H·g (Wang et al., 2020, arXiv:2002.07376).
  case grasp
  /// ½ Σ over channels of the mean over images of (Σ activation · gradient)² (Theis et al., 2018, arXiv:1801.05787;
  /// Turner et al., 2020, arXiv:1906.04113).
  case fisher
  /// Σ |w · ∂R/∂w| of the linearised network (Tanaka et al., 2020, arXiv:2006.05467).
  case synflow
  /// How little the gradients to different images are correlated (Mellor et al., 2020, arXiv:2006.04647v1).
  case jacobCov = "jacob_cov"
  /// The log-determinant of the kernel of ReLU patterns (Mellor et al., 2021, arXiv:2006.04647v3).
  case naswot
  /// Σ over layers of log Σ mean|g| / deviation(g) over minibatches (Li et al., 2023, arXiv:2301.11300).
  case zico
  /// How far a disturbance of the input reaches, times normalisation's factors (Lin et al., 2021, arXiv:2102.01063).
  case zen
  /// Fisher as Abdelfattah et al.'s program sums it: each channel's information for each of its weights.
  case fisherPublished = "fisher_published"
  /// The Zen-score as Lin et al.'s program has it: with running variances, and biases of zero.
  case zenPublished = "zen_published"

  /// Those that every table has; the others are computed where they are asked for.
  package static let standard: [Proxy] = allCases.filter { $0 != .fisherPublished && $0 != .zenPublished }

  /// Whether a larger value is meant to stand for a better network; so it is for all of these.
  package var isHigherBetter: Bool { true }
}
