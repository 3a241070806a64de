import Foundation

/// Which build of the program this process is: results of another one may differ though nothing that defines them does.
enum ProgramBuild {
  /// The fingerprint of the program's file, with every kernel that is linked into it; nil where it cannot be read.
  /// A commit would not do: it stays the same while a kernel is being written. Building the same sources again in the
  /// same folder gives the same file.
  static let fingerprint: String? = {
    #if os(Linux)
      let file = URL(fileURLWithPath: "/proc/self/exe")
    #else
      guard let file = Bundle.main.executableURL else { return nil }
    #endif
    guard let bytes = try? Data(contentsOf: file, options: .alwaysMapped) else { return nil }
    var hash = Fingerprint()
    hash.add(UInt64(bytes.count))
    bytes.withUnsafeBytes { bytes in
      let words = bytes.count / 8
      for word in 0..<words { hash.add(bytes.loadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)) }
      for byte in bytes[(8 * words)...] { hash.add(UInt64(byte)) }
    }
    return hash.text
  }()
}
