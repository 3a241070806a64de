import Tensors

/// Rows summed in single precision before they are added up in double precision.
let reductionBlock = 256

/// Two terms of each element of `[rows][channels]` that are to be summed over the rows.
///
/// A value holds what one vector of channels needs, so that it stays in registers over the rows. It is a type because
/// closures in a parallel loop would be called for each vector.
protocol ChannelTerms {
  /// What all channels share.
  associatedtype Operands

  /// For a vector of channels, of which the first `lanes` exist.
  init(_ operands: Operands, channel: Int, lanes: Int)
  /// The terms of the element at `offset` and its neighbours; those beyond `lanes` are ignored.
  func terms(_ offset: Int, _ lanes: Int) -> (Vector, Vector)
}

/// Sums two functions over all rows, for each channel.
///
/// Blocks of rows have a fixed size and are added in order: the result does not depend on `threads`.
func channelSums<Terms: ChannelTerms>(
  _ type: Terms.Type, _ operands: Terms.Operands, rows: Int, channels: Int, threads: Int
) -> (first: [Double], second: [Double]) {
  let blocks = (rows + reductionBlock - 1) / reductionBlock
  var partial = Tensor(uninitialized: [max(blocks, 1), 2, channels])
  var first = Array(repeating: 0.0, count: channels), second = first
  partial.withMutablePointer { partial in
    parallel(blocks, threads: threads, grain: max(1, 65_536 / (reductionBlock * channels))) {
      sumBlocks(type, operands, $0, rows: rows, channels: channels, into: partial)
    }
    first.withUnsafeMutableBufferPointer { first in
      second.withUnsafeMutableBufferPointer { second in
        for block in 0..<blocks {
          let sums = partial + block &* 2 &* channels
          for channel in 0..<channels {
            first[channel] += Double(sums[channel])
            second[channel] += Double(sums[channels &+ channel])
          }
        }
      }
    }
  }
  return (first, second)
}

/// The sums of some blocks of rows: `[block][first, second][channel]`.
///
/// Sums of one vector of channels depend on each other, so four vectors are summed side by side, from one block or
/// several. The last blocks come first, because what was written last is still in the cache.
@inline(never)
private func sumBlocks<Terms: ChannelTerms>(
  _ type: Terms.Type, _ operands: Terms.Operands, _ blocks: Range<Int>, rows: Int, channels: Int,
  into partial: UnsafeMutablePointer<Float>
) {
  let vectors = (channels + Vector.scalarCount - 1) / Vector.scalarCount
  let whole = channels % Vector.scalarCount == 0 ? min(blocks.upperBound, rows / reductionBlock) : 0
  func column(_ unit: Int) -> Column<Terms> {
    let (block, vector) = unit.quotientAndRemainder(dividingBy: vectors)
    return Column(operands, block: block, channel: vector * Vector.scalarCount, channels: channels)
  }
  let first = blocks.lowerBound &* vectors
  var unit = blocks.upperBound &* vectors
  while unit > first {
    if unit &- 4 >= first, unit <= whole &* vectors {
      unit &-= 4
      var (a, b, c, d) = (column(unit), column(unit &+ 1), column(unit &+ 2), column(unit &+ 3))
      for _ in 0..<reductionBlock {
        a.add(Vector.scalarCount, channels)
        b.add(Vector.scalarCount, channels)
        c.add(Vector.scalarCount, channels)
        d.add(Vector.scalarCount, channels)
      }
      a.store(partial, channels)
      b.store(partial, channels)
      c.store(partial, channels)
      d.store(partial, channels)
    } else {
      unit &-= 1
      var a = column(unit)
      for _ in 0..<min(reductionBlock, rows &- a.block &* reductionBlock) { a.add(a.lanes, channels) }
      a.store(partial, channels)
    }
  }
}

/// The sums of a vector of channels over a block of rows.
private struct Column<Terms: ChannelTerms> {
  let block: Int, channel: Int, lanes: Int
  private let terms: Terms
  private var offset: Int
  private var first = Vector.zero, second = Vector.zero

  @inline(__always)
  init(_ operands: Terms.Operands, block: Int, channel: Int, channels: Int) {
    self.block = block
    self.channel = channel
    lanes = min(Vector.scalarCount, channels &- channel)
    terms = Terms(operands, channel: channel, lanes: lanes)
    offset = block &* reductionBlock &* channels &+ channel
  }

  /// Adds the next row's terms.
  @inline(__always)
  mutating func add(_ lanes: Int, _ channels: Int) {
    let (a, b) = terms.terms(offset, lanes)
    first += a
    second += b
    offset &+= channels
  }

  @inline(__always)
  func store(_ partial: UnsafeMutablePointer<Float>, _ channels: Int) {
    let sums = partial + (block &* 2 &* channels &+ channel)
    Tail.store(first, sums, lanes)
    Tail.store(second, sums + channels, lanes)
  }
}

/// Sums over all rows for each channel: a bias gradient.
public func channelSum(_ x: UnsafePointer<Float>, rows: Int, channels: Int, threads: Int) -> [Double] {
  channelSums(ElementTerms.self, x, rows: rows, channels: channels, threads: threads).first
}

/// The elements themselves.
private struct ElementTerms: ChannelTerms {
  let x: UnsafePointer<Float>

  @inline(__always) init(_ x: UnsafePointer<Float>, channel: Int, lanes: Int) { self.x = x }

  @inline(__always) func terms(_ offset: Int, _ lanes: Int) -> (Vector, Vector) {
    (Tail.load(x + offset, lanes), .zero)
  }
}
