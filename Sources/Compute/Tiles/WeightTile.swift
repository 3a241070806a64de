/// The microkernel of the gradient to the weights: channels × one or two vectors of outputs, summed over the pixels of
/// a block.
enum WeightTile<Channels: TileRows, Panel: Lanes>
where Channels.Arguments == WeightTileArguments, Channels.Operands == WeightTileOperands<Panel> {
  @inline(never)
  static func run(_ tile: WeightTileArguments) {
    var channels = Channels(0, tile)
    var g = tile.gradient
    for pixel in 0..<tile.pixels {
      channels.add(0, WeightTileOperands(x: tile.rows[pixel] + tile.channel, gradient: Panel(at: g)))
      g += tile.gradientStep
    }
    channels.store(0, tile)
  }
}

/// What the channels of a weight tile share in one step: a pixel.
struct WeightTileOperands<Panel: Lanes> {
  let x: UnsafePointer<Float>
  let gradient: Panel
}

/// One channel of a weight tile.
struct ChannelRow<Panel: Lanes>: TileRow {
  private var sums: Panel

  @inline(__always) init(_ index: Int, _ tile: WeightTileArguments) {
    sums = Panel(at: tile.sums + index &* tile.sumStep)
  }

  @inline(__always) mutating func add(_ index: Int, _ pixel: WeightTileOperands<Panel>) {
    sums.add(Vector(repeating: pixel.x[index]), pixel.gradient, one: .zero, ProductStep.self)
  }

  @inline(__always) func store(_ index: Int, _ tile: WeightTileArguments) {
    sums.store(tile.sums + index &* tile.sumStep)
  }
}

/// What a microkernel of a weight gradient reads and writes.
struct WeightTileArguments {
  /// For each pixel, where its channels are.
  var rows: UnsafePointer<UnsafePointer<Float>>
  /// The tile's first channel.
  var channel: Int
  /// A panel of gradients: one or two vectors for each pixel.
  var gradient: UnsafePointer<Float>
  /// From one pixel's gradients to the next one's.
  var gradientStep: Int
  var pixels: Int
  /// What is added to: one or two vectors for each channel.
  var sums: UnsafeMutablePointer<Float>
  /// From one channel's sums to the next one's.
  var sumStep: Int

  /// Runs the microkernel of this number of channels: one of the counts of `channelCuts`.
  ///
  /// - Parameter single: whether the panel is one vector of outputs wide, not two.
  @inline(__always)
  func run(channels: Int, single: Bool) {
    switch (channels, single) {
    case (16, _): WeightTile<Rows16<ChannelRow<OneVector>>, OneVector>.run(self)
    case (8, false): WeightTile<Rows8<ChannelRow<TwoVectors>>, TwoVectors>.run(self)
    case (8, true): WeightTile<Rows8<ChannelRow<OneVector>>, OneVector>.run(self)
    case (4, false): WeightTile<Rows4<ChannelRow<TwoVectors>>, TwoVectors>.run(self)
    case (4, true): WeightTile<Rows4<ChannelRow<OneVector>>, OneVector>.run(self)
    case (_, false): WeightTile<ChannelRow<TwoVectors>, TwoVectors>.run(self)
    case (_, true): WeightTile<ChannelRow<OneVector>, OneVector>.run(self)
    }
  }
}

/// Cuts channels into the counts that there are microkernels for.
///
/// - Parameter largest: the channels of a full tile.
func channelCuts(_ channels: Int, largest: Int) -> [(first: Int, count: Int)] {
  var cuts: [(first: Int, count: Int)] = []
  var first = 0
  for count in [16, 8, 4, 1] where count <= largest {
    while channels - first >= count {
      cuts.append((first, count))
      first += count
    }
  }
  return cuts
}
