import Layers
import Tensors

/// A residual network as plain data: what to build, block by block.
package struct ResidualDescription: ModelDescription {
  /// The stem, before the first stage.
  package enum Stem: String, Sendable {
    /// 7×7 with stride 2, then 3×3 max pooling with stride 2: for large images.
    case large
    /// 3×3 with stride 1: for images of 8×8 to 32×32.
    case small
  }

  /// Blocks of one width; the first has the stride.
  package struct Stage: Hashable, Sendable {
    /// Channels of the k×k convolution.
    package var width: Int
    /// The number of blocks.
    package var count: Int
    /// The stride of the first block.
    package var stride: Int

    /// A stage.
    package init(width: Int, count: Int, stride: Int) {
      self.width = width
      self.count = count
      self.stride = stride
    }
  }

  /// The shortcut of blocks that change the size or the channels: He et al.'s (2015, §3.3) options.
  package enum Shortcut: String, Sendable, CaseIterable {
    /// Option A: every stride-th pixel, with zeros in the new channels.
    case padding
    /// Option B: a strided 1×1 convolution with batch normalisation.
    case projection
    /// No shortcut around any block: a plain network (§3.3, figure 3, middle).
    case none
  }

  /// Which convolution of a bottleneck has the stride.
  package enum StridePlace: String, Sendable, CaseIterable {
    /// The k×k one, as torchvision has it.
    case spatial
    /// The first 1×1, as in the paper.
    case first
  }

  /// The classifier on the mean of all pixels.
  package enum Head: Sendable {
    /// A linear layer.
    case linear
    /// A 1×1 convolution without bias, then batch normalisation, as AdderNet has it.
    case normalizedConvolution
  }

  /// The model's name.
  package var name: String
  /// The block.
  package var block: Block
  /// The stem.
  package var stem: Stem
  /// Output channels of the stem.
  package var stemWidth: Int
  /// The stages, first to last: `layer1`, `layer2`, …
  package var stages: [Stage]
  /// A factor on the channels of the model of that name.
  package private(set) var widthFactor = 1.0
  /// Groups of the bottlenecks' k×k convolutions (Xie et al., 2016, arXiv:1611.05431).
  package var groups = 1
  /// The factor on the width inside bottlenecks (Zagoruyko and Komodakis, 2016, arXiv:1605.07146), as a fraction.
  package var innerWidth = (numerator: 1, denominator: 1)
  /// The shortcut of blocks that change the size or the channels.
  package var shortcut: Shortcut
  /// The classifier.
  package var head = Head.linear
  /// Channels inside a block that widens them, for each one outside; nil for the block's own.
  package var chosenExpansion: Int?
  /// The kernel that belongs to the model, where it is not `standard`.
  package var ownKernel: String?
  /// Where bottlenecks have their stride.
  package var stridePlace = StridePlace.spatial
  /// The stages, counted from 1, whose stride is replaced by dilation (Yu et al., 2017, arXiv:1705.09914).
  package var dilatedStages: Set<Int> = []
  /// Whether the last normalisation of each block starts with γ = 0 (Goyal et al., 2017, arXiv:1706.02677).
  package var startsAsIdentity = false
  /// Extent of the blocks' windows.
  package var window: Int
  /// Channels of the images.
  package var inputChannels: Int
  /// The number of classes.
  package var classes: Int
  /// Which convolutions a kernel takes the place of.
  package var replacement = Replacement.spatial
  /// The stages, counted from 1, in which it replaces them; nil for all.
  package var replacedStages: Set<Int>?
  /// The rule for initial weights; nil for He et al.'s rule with the fan out, and PyTorch's for the classifier.
  package var initialization: ChosenInitialization?

  /// A description.
  package init(
    name: String, block: Block, stem: Stem, stemWidth: Int, stages: [Stage], window: Int = 3,
    shortcut: Shortcut = .projection, inputChannels: Int = 3, classes: Int
  ) {
    self.name = name
    self.block = block
    self.stem = stem
    self.stemWidth = stemWidth
    self.stages = stages
    self.window = window
    self.shortcut = shortcut
    self.inputChannels = inputChannels
    self.classes = classes
  }

  /// As torchvision calls it.
  package var printedName: String { "ResNet" }
  package var residual: ResidualDescription? { self }

  package var classifier: String { head == .linear ? "fc.bias" : "bn2.bias" }

  package func makeBody(_ net: NetworkBuilder) throws -> any Layer { try ResidualBuilder(self, net).body() }

  package var variations: [(option: String, value: String)] {
    func list(_ stages: Set<Int>) -> String { stages.sorted().map(String.init).joined(separator: ",") }
    return [
      ("replace", replacement.rawValue),
      ("stages", replacedStages.map { $0.count == stages.count ? "" : list($0) } ?? ""),
      ("shortcut", block.isChosen && shortcut != .none ? "" : shortcut.rawValue),
      ("block", block.isChosen ? block.rawValue : ""),
      ("stride-on", block == .bottleneck ? stridePlace.rawValue : ""), ("dilate-stages", list(dilatedStages)),
      ("expansion", innerExpansion.map(String.init) ?? ""),
      ("width", widthFactor == 1 ? "" : "\(widthFactor)"),
    ]
  }

  /// Channels inside a block for each one outside, where the block widens them.
  package var innerExpansion: Int? { block.innerExpansion.map { chosenExpansion ?? $0 } }

  /// The same network with `factor` times as many channels in its stem and stages, rounded to at least one (Zagoruyko
  /// and Komodakis, 2016, arXiv:1605.07146).
  package func widened(by factor: Double) -> ResidualDescription {
    func widened(_ width: Int) -> Int { max(1, Int((Double(width) * factor).rounded())) }
    var description = self
    description.widthFactor *= factor
    description.stemWidth = widened(stemWidth)
    description.stages = stages.map { .init(width: widened($0.width), count: $0.count, stride: $0.stride) }
    return description
  }

  /// Refuses stages that the network does not have, and what its blocks do not have.
  package func check() throws {
    guard block != .repVGG || !startsAsIdentity else {
      throw WorkbenchError(
        "Blocks of repvgg have no last normalisation to start at zero; leave out zero-init.")
    }
    guard shortcut != .none || !startsAsIdentity else {
      throw WorkbenchError("A plain network cannot start its blocks at zero; leave out --zero-init.")
    }
    let numbers = 1...stages.count
    for (wanted, option) in [(dilatedStages, "dilated"), (replacedStages ?? [], "replaced")] {
      guard let wrong = wanted.filter({ !numbers.contains($0) }).min() else { continue }
      throw WorkbenchError(
        "\(name) has no stage \(wrong) to be \(option); its stages are 1 to \(stages.count).")
    }
  }
}
