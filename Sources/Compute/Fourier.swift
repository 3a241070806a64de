import CFFTW
import Synchronization
import Tensors

/// Real two-dimensional Fourier transforms of all channels of a square tile at once, by FFTW.
///
/// A tile is `[size][size][channels]`, its spectrum `[size][size / 2 + 1][channels][real, imaginary]`: so a row of
/// the spectrum is a row of floats that the indirect GEMM can read. Plans are FFTW's estimates, not
/// measurements: the same plan, and the same bits, every time.
public struct FourierPlan: Sendable {
  /// The extent of a tile.
  public let size: Int
  /// The channels of a tile.
  public let channels: Int
  /// The frequencies that are kept: the others follow by symmetry.
  public var frequencies: Int { size * (size / 2 + 1) }
  /// The floats of a tile.
  public var tileCount: Int { size * size * channels }
  /// The floats of a spectrum.
  public var spectrumCount: Int { frequencies * channels * 2 }

  /// The version of FFTW, for example `fftw-3.3.10-sse2-avx`.
  public static var libraryVersion: String { String(cString: fftwVersionText()) }

  private let forward: Int, inverse: Int

  private struct Key: Hashable { let size: Int, channels: Int }
  private static let plans = Mutex<[Key: (Int, Int)]>([:])

  /// The plans for a size and a number of channels; made once, then shared by all threads.
  public init(size: Int, channels: Int) {
    self.size = size
    self.channels = channels
    // FFTW's planner is not thread-safe, its execution is.
    (forward, inverse) = Self.plans.withLock { plans in
      if let known = plans[Key(size: size, channels: channels)] { return known }
      let tile = Tensor(uninitialized: [size * size * channels])
      let spectrum = Tensor(uninitialized: [size * (size / 2 + 1) * channels * 2])
      var extents = [Int32(size), Int32(size)]
      let plan = tile.withPointer { tile in
        spectrum.withPointer { spectrum in
          let real = UnsafeMutablePointer(mutating: tile)
          let complex = UnsafeMutableRawPointer(mutating: spectrum).assumingMemoryBound(
            to: fftwf_complex.self)
          let stride = Int32(channels)
          let forward = fftwf_plan_many_dft_r2c(
            2, &extents, stride, real, nil, stride, 1, complex, nil, stride, 1, FFTW_ESTIMATE)
          let inverse = fftwf_plan_many_dft_c2r(
            2, &extents, stride, complex, nil, stride, 1, real, nil, stride, 1, FFTW_ESTIMATE)
          return (Int(bitPattern: forward), Int(bitPattern: inverse))
        }
      }
      plans[Key(size: size, channels: channels)] = plan
      return plan
    }
  }

  /// The spectrum of a tile. Both must be aligned to 64 bytes.
  public func transform(_ tile: UnsafeMutablePointer<Float>, _ spectrum: UnsafeMutablePointer<Float>) {
    fftwf_execute_dft_r2c(
      fftwf_plan(bitPattern: forward), tile,
      UnsafeMutableRawPointer(spectrum).assumingMemoryBound(to: fftwf_complex.self))
  }

  /// size² times the tile of a spectrum, which is overwritten. Both must be aligned to 64 bytes.
  public func invert(_ spectrum: UnsafeMutablePointer<Float>, _ tile: UnsafeMutablePointer<Float>) {
    fftwf_execute_dft_c2r(
      fftwf_plan(bitPattern: inverse),
      UnsafeMutableRawPointer(spectrum).assumingMemoryBound(to: fftwf_complex.self), tile)
  }
}
