import Foundation

/// The fuzzer: `fuzz HARNESS [libFuzzer's arguments]`, `fuzz --list`, `fuzz --seeds HARNESS FOLDER`. Tests/Fuzz/run builds
/// and starts it.
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ read: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The chosen harness: libFuzzer calls a C function, which cannot hold one.
nonisolated(unsafe) var chosen = Harness.all[0]

/// One input. It has the name that libFuzzer's own main function wants, though that function is not used.
@_cdecl("LLVMFuzzerTestOneInput")
public func readOne(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do { _ = try chosen.accepts(Array(UnsafeBufferPointer(start: bytes, count: count))) } catch {
    fatalError("\(chosen.name): \(error)")
  }
  return 0
}

func harness(_ name: String) -> Harness {
  guard let found = Harness.all.first(where: { $0.name == name }) else {
    print("There is no harness ‘\(name)’; choose from \(Harness.all.map(\.name).joined(separator: ", ")).")
    exit(64)
  }
  return found
}

atexit { Scratch.remove() }
let arguments = CommandLine.arguments
switch arguments.count > 1 ? arguments[1] : "--list" {
case "--list": for harness in Harness.all { print(harness.name) }
case "--seeds":
  for (index, seed) in try harness(arguments[2]).seeds().enumerated() {
    try Data(seed).write(to: URL(fileURLWithPath: "\(arguments[3])/seed\(index)"))
  }
default:
  chosen = harness(arguments[1])
  var words = [arguments[0]] + arguments.dropFirst(2), count = CInt(words.count)
  var pointers = words.map { strdup($0) } + [nil]
  let status = pointers.withUnsafeMutableBufferPointer { buffer -> CInt in
    var first = buffer.baseAddress!
    return runDriver(&count, &first, readOne)
  }
  exit(status)
}
