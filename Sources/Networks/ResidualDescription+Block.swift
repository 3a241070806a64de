extension ResidualDescription {
  /// A block of a residual network: what an operator stands in.
  package enum Block: String, Sendable {
    /// k×k, k×k (He et al., 2015, arXiv:1512.03385).
    case basic
    /// 1×1 to `width`, k×k with the stride, 1×1 to 4 · `width` (ibid.).
    case bottleneck
    /// 1×1 to more channels, k×k that keeps them, 1×1 to width with the stride (Wu et al., 2017, arXiv:1711.08141).
    case shift
    /// 1×1 to more channels, k×k with the stride, 1×1 to width without an activation (Sandler et al., 2018,
    /// arXiv:1801.04381).
    case invertedResidual = "inverted-residual"
    /// k×k, layer normalisation, 1×1 to more channels, GELU, 1×1 back, a scale for each channel (Liu et al., 2022,
    /// arXiv:2201.03545).
    case convNeXt = "convnext"
    /// k×k, 1×1 and the identity side by side (Ding et al., 2021, arXiv:2101.03697).
    case repVGG = "repvgg"

    /// Output channels for each unit of width.
    package var expansion: Int { self == .bottleneck ? 4 : 1 }

    /// Channels inside for each one outside by default, where the block widens them.
    package var innerExpansion: Int? {
      switch self {
      case .basic, .bottleneck, .repVGG: nil
      case .shift: 3
      case .invertedResidual: 6
      case .convNeXt: 4
      }
    }

    /// Whether it takes the place of a model's own blocks. Such a block has shortcuts of its own, or none.
    package var isChosen: Bool { [.invertedResidual, .convNeXt, .repVGG].contains(self) }

    /// As torchvision and the authors' programs call it.
    var printedName: String {
      switch self {
      case .basic: "BasicBlock"
      case .bottleneck: "Bottleneck"
      case .shift: "ShiftBlock"
      case .invertedResidual: "InvertedResidual"
      case .convNeXt: "CNBlock"
      case .repVGG: "RepVGGBlock"
      }
    }
  }
}

/// Those that `--block` chooses among.
extension ResidualDescription.Block: CaseIterable {
  package static let allCases: [Self] = [.bottleneck, .invertedResidual, .convNeXt, .repVGG]

  /// One line: what it consists of, and whose it is.
  package var summary: String {
    switch self {
    case .basic: "k×k, k×k"
    case .shift: "1×1, k×k, 1×1, of more channels inside"
    case .bottleneck: "1×1 to a quarter of the channels, k×k, 1×1 back (He et al., 2015, arXiv:1512.03385)"
    case .invertedResidual:
      "1×1 to six times the channels, k×k, 1×1 back, ReLU6 inside (Sandler et al., 2018, arXiv:1801.04381)"
    case .convNeXt:
      "k×k, layer normalisation, 1×1 to four times the channels, GELU, 1×1 back, a scale (Liu et al., 2022, arXiv:2201.03545)"
    case .repVGG:
      "k×k, 1×1 and the identity side by side, each normalised (Ding et al., 2021, arXiv:2101.03697)"
    }
  }
}
