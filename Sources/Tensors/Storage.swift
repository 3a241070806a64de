import Foundation
import Synchronization

/// A block of uninitialised floats, aligned to 64 bytes, that returns to a pool with its last owner.
///
/// Fresh large allocations page-fault on first use; recycled ones do not.
final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Float>
  let count: Int
  private let capacity: Int

  init(count: Int) {
    self.count = count
    capacity = StoragePool.capacity(for: count)
    pointer = StoragePool.take(capacity)
    if StoragePool.poisonsMemory { pointer.update(repeating: .nan, count: count) }
  }

  deinit { StoragePool.give(pointer, capacity) }
}

/// The recycled memory blocks of tensors and scratch memory.
package enum StoragePool {
  private struct Free {
    var blocks: [Int: [UnsafeMutableRawPointer]] = [:]
    var bytes = 0
  }

  private static let free = Mutex(Free())
  private static let poisoners = Atomic(0)
  #if WORKBENCH_EXACT_STORAGE
    private static let retainedBytesLimit = 0
  #else
    private static let retainedBytesLimit = 2 << 30
  #endif

  /// Whether new tensors are filled with NaN: tests use it to find outputs that are not written.
  static var poisonsMemory: Bool { poisoners.load(ordering: .relaxed) > 0 }

  /// From now on new tensors are filled with NaN, until all who began it have called ``endPoisoning()``.
  package static func beginPoisoning() { poisoners.add(1, ordering: .relaxed) }
  /// Ends what one ``beginPoisoning()`` began.
  package static func endPoisoning() { poisoners.subtract(1, ordering: .relaxed) }

  /// Rounds up so that nearly equal sizes share blocks: to 1/8 of the power of two below.
  static func capacity(for count: Int) -> Int {
    #if WORKBENCH_EXACT_STORAGE  // For AddressSanitizer: a block ends where its tensor does.
      return max(1, count)
    #else
      let step = max(16, (count.nextPowerOfTwoBelow) / 8)
      return max(16, (count + step - 1) / step * step)
    #endif
  }

  static func take(_ capacity: Int) -> UnsafeMutablePointer<Float> {
    let recycled = free.withLock { free -> UInt in
      guard let block = free.blocks[capacity]?.popLast() else { return 0 }
      free.bytes -= capacity * 4
      return UInt(bitPattern: block)
    }
    let block =
      UnsafeMutableRawPointer(bitPattern: recycled)
      ?? fresh(byteCount: capacity * 4)
    return block.bindMemory(to: Float.self, capacity: capacity)
  }

  /// Large blocks use large pages if the system has them, which causes far fewer page faults and translation misses.
  private static func fresh(byteCount: Int) -> UnsafeMutableRawPointer {
    let largePage = 2 << 20
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, byteCount < largePage ? 64 : largePage, byteCount) == 0, let block else {
      exhausted(byteCount)
    }
    #if os(Linux)
      if byteCount >= largePage { madvise(block, byteCount, MADV_HUGEPAGE) }
    #endif
    return block
  }

  /// Ends the process with a sentence instead of a trap: an array that does not fit into memory is not a programming
  /// error, and no caller could continue without it.
  private static func exhausted(_ byteCount: Int) -> Never {
    let size = byteCount < 1 << 20 ? "\((byteCount + 1023) >> 10) KiB" : "\(byteCount >> 20) MiB"
    let sentence =
      "Error: There is no memory left for an array of \(size); use a smaller batch, image or model, or raise the limit (ulimit -v).\n"
    _ = sentence.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(1)
  }

  static func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
    let address = UInt(bitPattern: pointer)
    let kept = free.withLock { free -> Bool in
      guard free.bytes + capacity * 4 <= retainedBytesLimit,
        let block = UnsafeMutableRawPointer(bitPattern: address)
      else { return false }
      free.blocks[capacity, default: []].append(block)
      free.bytes += capacity * 4
      return true
    }
    if !kept { Foundation.free(pointer) }
  }
}

extension Int {
  fileprivate var nextPowerOfTwoBelow: Int {
    self <= 1 ? 1 : 1 << (Int.bitWidth - 1 - leadingZeroBitCount)
  }
}
