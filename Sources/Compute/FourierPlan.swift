#if FFTW
  import CFFTW
#endif
import Synchronization
import Tensors

/// Real two-dimensional Fourier transforms of square tiles, many channels at once, by FFTW.
///
/// A spectrum is `[size][size / 2 + 1][real, imaginary][channels]`: for each frequency the real parts of all
/// channels, then the imaginary ones, as the complex matrix product reads them. Tiles are transformed some channels
/// at a time, `[size][size][channels of the block]`, so that they stay in the cache. Two neighbouring channels are
/// the parts of one complex number, and FFTW transforms many of these side by side; their spectra are then separated
/// by symmetry. Plans are FFTW's estimates, not measurements: the same plan, and the same bits, every time.
package struct FourierPlan: Sendable {
  /// The extent of a tile.
  package let size: Int
  /// The channels of a spectrum.
  package let channels: Int
  /// The number of frequencies that are kept; the others follow by symmetry.
  package var frequencies: Int { size * (size / 2 + 1) }
  /// The floats of the largest tile.
  package var tileCount: Int { size * size * Self.width(min(channels, Self.blockWidth)) }
  /// The floats from one spectrum to the next: whole lines.
  package var spectrumCount: Int { (frequencies * channels * 2 + 15) / 16 * 16 }

  /// The version of FFTW, for example `fftw-3.3.10-sse2-avx`; nil in a build without it, which makes no plans.
  package static var libraryVersion: String? {
    #if FFTW
      String(cString: fftwVersionText())
    #else
      nil
    #endif
  }

  private static let blockWidth = 16

  /// The floats of a tile's pixel for a number of channels: an even number.
  package static func width(_ channels: Int) -> Int { channels + channels % 2 }

  /// The blocks of channels that are transformed together.
  package var blocks: [Range<Int>] {
    stride(from: 0, to: channels, by: Self.blockWidth).map { $0..<min($0 + Self.blockWidth, channels) }
  }

  private struct Key: Hashable { let size: Int, pairs: Int }
  private static let plans = Mutex<[Key: (Int, Int)]>([:])

  /// The plans of whole blocks and of the last one.
  private let whole: (forward: Int, inverse: Int), last: (forward: Int, inverse: Int)

  /// The plans for a size and a number of channels; made once, then shared by all threads.
  package init(size: Int, channels: Int) {
    self.size = size
    self.channels = channels
    whole = Self.plan(size, min(channels, Self.blockWidth))
    let rest = channels % Self.blockWidth
    last = rest == 0 ? whole : Self.plan(size, rest)
  }

  /// The spectrum of a tile of a block of channels, which is overwritten; it must be aligned to 64 bytes.
  ///
  /// A pixel of the tile has `width` floats; those after the channels are zeros.
  package func transform(
    _ tile: UnsafeMutablePointer<Float>, _ block: Range<Int>, _ spectrum: UnsafeMutablePointer<Float>
  ) {
    execute(plan(block).forward, tile)
    let width = Self.width(block.count), columns = size / 2 + 1
    forEachFrequency { row, column, oppositeRow, oppositeColumn in
      let z = tile + (row &* size &+ column) &* width
      let opposite = tile + (oppositeRow &* size &+ oppositeColumn) &* width
      let real = spectrum + ((row &* columns &+ column) &* 2 &* channels &+ block.lowerBound)
      let imaginary = real + channels
      var first = 0
      while first &+ Vector.scalarCount <= block.count {
        let z = Vector(at: z + first), opposite = Vector(at: opposite + first)
        ((z + opposite) * 0.5).store(real + first)
        ((z - opposite).swappedPairs * Vector.alternating * 0.5).store(imaginary + first)
        first &+= Vector.scalarCount
      }
      for pair in first / 2..<block.count / 2 {
        let a = 2 &* pair, b = a &+ 1
        real[a] = 0.5 * (z[a] + opposite[a])
        real[b] = 0.5 * (z[b] + opposite[b])
        imaginary[a] = 0.5 * (z[b] - opposite[b])
        imaginary[b] = 0.5 * (opposite[a] - z[a])
      }
      if block.count % 2 == 1 {
        let a = block.count - 1
        real[a] = 0.5 * (z[a] + opposite[a])
        imaginary[a] = 0.5 * (z[a + 1] - opposite[a + 1])
      }
    }
  }

  /// size² times the tile of a block of a spectrum's channels; the tile must be aligned to 64 bytes.
  package func invert(
    _ spectrum: UnsafePointer<Float>, _ block: Range<Int>, _ tile: UnsafeMutablePointer<Float>
  ) {
    let width = Self.width(block.count), columns = size / 2 + 1
    forEachFrequency { row, column, oppositeRow, oppositeColumn in
      let real = spectrum + ((row &* columns &+ column) &* 2 &* channels &+ block.lowerBound)
      let imaginary = real + channels
      let z = tile + (row &* size &+ column) &* width
      let opposite = tile + (oppositeRow &* size &+ oppositeColumn) &* width
      // The frequencies of the first and the middle column have their opposites in the same column.
      let isAlone = oppositeColumn == column
      var first = 0
      while first &+ Vector.scalarCount <= block.count {
        let re = Vector(at: real + first)
        let im = Vector(at: imaginary + first).swappedPairs * Vector.alternating
        (re - im).store(z + first)
        if !isAlone { (re + im).store(opposite + first) }
        first &+= Vector.scalarCount
      }
      for pair in first / 2..<width / 2 {
        let a = 2 &* pair, b = a &+ 1
        let second: (Float, Float) = b < block.count ? (real[b], imaginary[b]) : (0, 0)
        z[a] = real[a] - second.1
        z[b] = imaginary[a] + second.0
        if !isAlone {
          opposite[a] = real[a] + second.1
          opposite[b] = second.0 - imaginary[a]
        }
      }
    }
    execute(plan(block).inverse, tile)
  }

  /// Visits the frequencies that are kept, with the opposite of each.
  @inline(__always)
  private func forEachFrequency(_ body: (Int, Int, Int, Int) -> Void) {
    for row in 0..<size {
      let oppositeRow = row == 0 ? 0 : size &- row
      for column in 0..<size / 2 + 1 { body(row, column, oppositeRow, column == 0 ? 0 : size &- column) }
    }
  }

  private func execute(_ plan: Int, _ tile: UnsafeMutablePointer<Float>) {
    #if FFTW
      let numbers = UnsafeMutableRawPointer(tile).assumingMemoryBound(to: fftwf_complex.self)
      fftwf_execute_dft(fftwf_plan(bitPattern: plan), numbers, numbers)
    #endif
  }

  private func plan(_ block: Range<Int>) -> (forward: Int, inverse: Int) {
    block.count == Self.blockWidth || block.count == channels ? whole : last
  }

  private static func plan(_ size: Int, _ channels: Int) -> (Int, Int) {
    #if FFTW
      // FFTW's planner is not thread-safe, its execution is.
      plans.withLock { plans in
        let pairs = width(channels) / 2, key = Key(size: size, pairs: pairs)
        if let known = plans[key] { return known }
        var tile = Tensor(uninitialized: [size * size * 2 * pairs])
        var extents = [Int32(size), Int32(size)]
        let stride = Int32(pairs)
        let made = tile.withMutablePointer { tile in
          let numbers = UnsafeMutableRawPointer(tile).assumingMemoryBound(to: fftwf_complex.self)
          func plan(_ direction: Int32) -> Int {
            Int(
              bitPattern: fftwf_plan_many_dft(
                2, &extents, stride, numbers, nil, stride, 1, numbers, nil, stride, 1, direction,
                FFTW_ESTIMATE)
            )
          }
          return (plan(FFTW_FORWARD), plan(FFTW_BACKWARD))
        }
        plans[key] = made
        return made
      }
    #else
      preconditionFailure("a build without FFTW refuses the algorithm fft")
    #endif
  }
}

extension Vector {
  /// Each even lane with its odd neighbour's value, and the other way round.
  @inline(__always) fileprivate var swappedPairs: Vector {
    let pairs = unsafeBitCast(self, to: VectorPairs.self)
    return unsafeBitCast((pairs &<< 32) | (pairs &>> 32), to: Vector.self)
  }

  /// 1, −1, 1, −1, …
  @inline(__always) fileprivate static var alternating: Vector {
    unsafeBitCast(VectorPairs(repeating: 0xbf80_0000_3f80_0000), to: Vector.self)
  }
}
