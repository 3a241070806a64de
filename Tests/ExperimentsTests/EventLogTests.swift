import Foundation
import Learning
import Tensors
import Testing

@testable import Experiments

/// Files of TensorBoard's. experiments/peers/read_events.py reads them by TensorBoard's own reader.
@Suite struct EventLogTests {
  /// RFC 3720, appendix B.4, and the value that all descriptions of the polynomial give.
  @Test func checksAreCastagnolis() {
    #expect(CRC32C.of(Data("123456789".utf8)) == 0xe306_9283)
    #expect(CRC32C.of(Data(repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.of(Data(repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(CRC32C.of(Data([UInt8](0..<32))) == 0x46dd_794e)
    #expect(CRC32C.of(Data()) == 0)
  }

  /// The bytes that TensorFlow's writer gives for the same two events: read_events.py --write makes them.
  @Test func bytesAreTensorBoards() throws {
    var log = EventLog(time: 1.5)
    log.add(
      step: 300, time: 2.5, [("train/loss", 0.25), ("left out", nil), ("also", .nan), ("test/top1", 97)])
    let expected = try #require(Data(base64Encoded: Self.written))
    #expect(log.data == expected, "\(log.data.base64EncodedString())")
    #expect(EventLog.event(step: 1, time: 0, [("nothing", .infinity)]).isEmpty)
  }

  private static let written =
    "GAAAAAAAAACjf0siCQAAAAAAAPg/Gg1icmFpbi5FdmVudDoyKihkbDMAAAAAAAAADKcgVgkAAAAAAAAEQBCsAiolChEKCnRyYWluL2xvc3MVAACAPgoQCgl0ZXN0L3RvcDEVAADCQqlbjrw="

  @Test func aTrainingHasAFolderInASweep() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID().uuidString)")
    var options = SweepRunner.Options()
    options.tensorboard = folder.appendingPathComponent("events").path
    let sweep = try SweepTests.sweep(
      "kernels: ['shift']\nmodels: bottleneck20\nlatency: false\nproxies: false\nseeds: 1\ntraining: {epochs: 2}\n"
    )
    func files() -> [String: Data] {
      let names = FileManager.default.enumerator(atPath: options.tensorboard ?? "")?.compactMap {
        $0 as? String
      }
      return Dictionary(
        uniqueKeysWithValues: (names ?? []).compactMap { name in
          FileManager.default.contents(atPath: "\(options.tensorboard ?? "")/\(name)").map { (name, $0) }
        })
    }
    _ = try SweepRunner(sweep, threads: 1).run(output: folder.path, options)
    let written = files()
    #expect(written.count == 2)
    for kernel in ["standard", "shift"] {
      let path = try #require(written.keys.first { $0.hasPrefix("bottleneck20/digits/\(kernel)/seed-0-") })
      #expect(path.contains("/events.out.tfevents."))
      #expect(written[path]?.range(of: Data("validation/accuracy".utf8)) != nil)
      #expect(written[path]?.range(of: Data("test/accuracy".utf8)) != nil)
    }
    // What was trained before has its events, too.
    try FileManager.default.removeItem(at: folder.appendingPathComponent("events"))
    _ = try SweepRunner(sweep, threads: 1).run(output: folder.path, options)
    #expect(files() == written)
  }
}
