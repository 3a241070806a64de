import Foundation
import Tensors
import Testing

/// Every harness on its seeds, on the inputs that were kept of fuzzing, and on 200 changes of both; with
/// WORKBENCH_FUZZ_SECONDS in the environment, on as many changes as fit into that time. The fuzzer itself, which looks for
/// inputs that reach new code, is Tests/Fuzz/run.
@Suite(.serialized) struct CorpusTests {
  static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Corpus")

  @Test(arguments: Harness.all.map(\.name)) func inputsAreReadOrRefused(_ name: String) throws {
    let harness = try #require(Harness.all.first { $0.name == name })
    let seeds = try harness.seeds()
    for (index, seed) in seeds.enumerated() {
      #expect(throws: Never.self, "seed \(index)") { try harness.accepts(seed) }
    }
    let folder = Self.corpus.appendingPathComponent(name)
    let files =
      (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    let kept = try files.map { file in
      let input = [UInt8](try Data(contentsOf: file))
      #expect(throws: Never.self, "\(file.lastPathComponent)") { try harness.accepts(input) }
      return input
    }
    var random = Random(seed: 18).split(name), count = 0
    let pool = seeds + kept, end = Self.seconds.map { ContinuousClock.now + .seconds($0) }
    while end.map({ ContinuousClock.now < $0 }) ?? (count < 200) {
      let input = Self.changed(pool[random.below(pool.count)], &random)
      count += 1
      do { _ = try harness.accepts(input) } catch {
        Issue.record("\(error), from the input \(Data(input).base64EncodedString())")
        break
      }
    }
    if end != nil { print("\(name): \(count) inputs") }
  }

  static let seconds = ProcessInfo.processInfo.environment["WORKBENCH_FUZZ_SECONDS"].flatMap(Double.init)

  /// A seed that is refused would fuzz nothing but its refusal.
  @Test(arguments: Harness.all.map(\.name)) func seedsAreAccepted(_ name: String) throws {
    let harness = try #require(Harness.all.first { $0.name == name })
    for (index, seed) in try harness.seeds().enumerated() {
      #expect(throws: Never.self, "seed \(index)") { try harness.read(seed) }
    }
  }

  /// An input with some bytes changed, left out or repeated.
  static func changed(_ input: [UInt8], _ random: inout Random) -> [UInt8] {
    var result = input
    for _ in 0...random.below(4) where !result.isEmpty {
      let place = random.below(result.count), end = min(result.count, place + 1 + random.below(8))
      switch random.below(5) {
      case 0: result[place] = UInt8(random.below(256))
      case 1: result[place] ^= 1 << UInt8(random.below(8))
      case 2: result.removeSubrange(place..<end)
      case 3: result.insert(contentsOf: result[place..<end], at: place)
      default: result.removeLast(result.count - place)
      }
    }
    return result
  }
}
