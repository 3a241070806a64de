import Foundation
import Synchronization
import Tensors
import Testing

@testable import Experiments

/// Many processes in one folder.
@Suite struct ClaimTests {
  let folder = ResultFolder(
    FileManager.default.temporaryDirectory.appendingPathComponent("claims-\(UUID().uuidString)").path)

  init() throws { try folder.make() }

  /// A worker of another machine.
  private static func stranger(_ number: Int, heartbeat: Double = 30) -> Worker {
    Worker(
      token: "feed\(String(format: "%012x", number))", host: "n\(number)", process: 1, start: nil, job: nil,
      log: nil, heartbeat: heartbeat)
  }

  private func join(_ number: Int, heartbeat: Double = 30) throws -> Claims {
    try Claims(folder, Self.stranger(number, heartbeat: heartbeat))
  }

  /// The claim of a worker who has said nothing for some seconds.
  private func leave(_ name: String, of number: Int, seconds: Double) throws {
    let claims = folder.path("claims"), file = "\(claims)/\(Self.stranger(number).token).worker"
    try folder.makeFolder("claims")
    try JSONEncoder().encode(Self.stranger(number)).write(to: URL(fileURLWithPath: file))
    #expect(link(file, "\(claims)/\(name)") == 0)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: file)
  }

  private func isMine(_ claim: Claims.Claim) -> Bool { if case .mine = claim { true } else { false } }

  @Test func aClaimIsOneWorkers() throws {
    let one = try join(1), two = try join(2)
    #expect(try isMine(one.take("a")))
    #expect(try !isMine(one.take("a")), "nor twice the same worker's")
    guard case .taken(let holder) = try two.take("a") else { throw WorkbenchError("taken twice") }
    #expect(holder.worker == one.worker && !holder.isDead)
    #expect(one.others() == [two.worker] && one.isHeld("a") && !two.isHeld("a"))
    two.release("a")
    #expect(try !isMine(two.take("a")), "only its own claims does a worker end")
    one.release("a")
    #expect(try isMine(two.take("a")))
    one.leave()
    two.leave()
    #expect(!FileManager.default.fileExists(atPath: folder.path("claims")))
  }

  @Test func claimsOfTheDeadAreTakenOver() throws {
    try leave("old", of: 7, seconds: 130)
    try leave("young", of: 8, seconds: 100)
    let one = try join(1)
    guard case .mine(let dead) = try one.take("old") else { throw WorkbenchError("not taken over") }
    #expect(dead?.host == "n7")
    #expect(try !isMine(one.take("young")))
    #expect(one.others().map(\.host) == ["n8"])
    // Of this host it is known at once: no process has this number and start.
    var neighbour = Worker(heartbeat: 30)
    #expect(!neighbour.isDead(age: 1000))
    neighbour.start? += "1"
    #expect(neighbour.isDead(age: 0) == (neighbour.start != nil))
    one.leave()
  }

  /// Many at once, with dead claims among those that they want: each goes to one.
  @Test func manyTakeEachOnce() throws {
    let names = (0..<60).map { "work\($0)" }
    for (index, name) in names.enumerated() where index % 3 == 0 {
      try leave(name, of: 100 + index, seconds: 1000)
    }
    let all = try (1...8).map { try join($0) }
    let taken = Mutex<[String: [Int]]>([:])
    DispatchQueue.concurrentPerform(iterations: all.count) { index in
      for name in names.shuffled() {
        if let claim = try? all[index].take(name), isMine(claim) {
          taken.withLock { $0[name, default: []].append(index) }
        }
      }
    }
    let counts = taken.withLock { $0 }
    #expect(counts.keys.count == names.count)
    for (name, owners) in counts { #expect(owners.count == 1, "\(name): \(owners)") }
    all.forEach { $0.leave() }
  }

  /// A worker that slept too long notices that it has nothing any more, and begins anew.
  @Test func whoWasTakenForDeadNotices() throws {
    let one = try join(1, heartbeat: 0.05)
    #expect(try isMine(one.take("a")))
    let path = folder.path("claims")
    for file in try FileManager.default.contentsOfDirectory(atPath: path) { unlink("\(path)/\(file)") }
    for _ in 0..<100 where one.isHeld("a") { Thread.sleep(forTimeInterval: 0.05) }
    #expect(!one.isHeld("a"))
    #expect(try isMine(one.take("a")))
    one.leave()
  }

  /// Cleaning leaves files alone that a process may still be writing.
  @Test func onlyFilesOfTheDeadGo() throws {
    try leave("x", of: 7, seconds: 1000)
    let one = try join(1), two = try join(2)
    func unfinished(_ number: Int) throws -> String {
      let files = folder.path("claims/\(Self.stranger(number).token).files")
      try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
      try Data().write(to: URL(fileURLWithPath: "\(files)/1.json"))
      return files
    }
    let files = try (1...3).map(unfinished) + [unfinished(7)]
    one.clean()
    #expect(files.map { FileManager.default.fileExists(atPath: $0) } == [true, true, true, false])
    // The claim of the dead one is still there to be taken over.
    #expect(try isMine(one.take("x")))
    one.leave()
    two.leave()
  }

  /// Files get their names when they are whole, in folders that others may have removed meanwhile.
  @Test func filesAppearWhole() throws {
    let one = try join(1), target = folder.path("failures/a.json")
    try one.publish(target) { path in
      #expect(!path.hasPrefix(folder.path("failures")))
      try Data("a".utf8).write(to: URL(fileURLWithPath: path))
    }
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "a")
    let error = #expect(throws: WorkbenchError.self) {
      try one.publish(target) { path in throw WorkbenchError("\(path) cannot be written: no room.") }
    }
    #expect(error?.description == "\(target) cannot be written: no room.")
    #expect(try String(contentsOfFile: target, encoding: .utf8) == "a")
    one.leave()
    #expect(!FileManager.default.fileExists(atPath: folder.path("claims")))
  }

  /// Shares begin apart, and together they do everything once.
  @Test func sharesDoEverythingOnce() throws {
    let text = "models: bottleneck20\nlatency: false\nproxies: false\nseeds: 10\ntraining: {epochs: 1}\n"
    let plan = try SweepTests.plan(text), runs = plan.runs.filter(\.isTraining)
    let workers = try (0..<3).map { try join($0 + 1) }
    let queues = try workers.enumerated().map { index, claims in
      SweepQueue(
        runs, Shard(index: index, of: 3), folder, claims,
        RecordKeeper(try SweepRecords(folder.path), claims), by: nil)
    }
    let first = try queues.map { try $0.next()?.name }
    #expect(first == runs.prefix(3).map(\.name))
    // The first two do nothing more; the third does all the rest, but for what they have claimed.
    var done: [String] = []
    while let run = try queues[2].next() {
      try Data("{}".utf8).write(to: URL(fileURLWithPath: folder.path("records/\(run.name).json")))
      queues[2].settle(run)
      done.append(run.name)
    }
    #expect(done.count == runs.count - 3, "\(done.count) of \(runs.count)")
    #expect(Set(done) == Set(runs.dropFirst(3).map(\.name)))
    #expect(queues[2].elsewhere == 2)
    workers.forEach { $0.leave() }
  }

  @Test func runsAreGivenUpAfterThreeErrorsOrTenSilentDeaths() throws {
    let run = try #require(
      SweepTests.plan("models: bottleneck20\nlatency: false\ntraining: {epochs: 1}\n").runs.last)
    let claims = try join(2)
    for attempt in 1...3 {
      let failures = try RunFailures.add("no luck", of: Self.stranger(1), to: run, in: folder, claims)
      #expect(failures.isGivenUp == (attempt == 3))
    }
    #expect(RunFailures.all(in: folder)[run.name]?.text.contains("no luck") == true)
    RunFailures.remove(run.name, in: folder)
    #expect(!FileManager.default.fileExists(atPath: folder.path("failures")))
    for attempt in 1...10 {
      let failures = try RunFailures.add(nil, of: Self.stranger(1), to: run, in: folder, claims)
      #expect(failures.isGivenUp == (attempt == 10))
    }
    // One that got further than the last is no failure.
    try folder.makeFolder("checkpoints")
    try Data().write(to: URL(fileURLWithPath: folder.path("checkpoints/\(run.name).safetensors")))
    #expect(try !RunFailures.add(nil, of: Self.stranger(1), to: run, in: folder, claims).isGivenUp)
  }

  /// A user who kills a process alone, again and again, loses no run; one of many that dies without a word is counted.
  @Test(arguments: [true, false]) func deathsAreCountedAmongManyOnly(isOneOfMany: Bool) throws {
    let run = try #require(
      SweepTests.plan("models: bottleneck20\nlatency: false\ntraining: {epochs: 1}\n").runs.last)
    let claims = try join(1)
    defer { claims.leave() }
    for attempt in 1...12 {
      if attempt > 1 { try leave(run.name, of: 100 + attempt, seconds: 130) }
      let queue = SweepQueue(
        [run], .whole, folder, claims, RecordKeeper(try SweepRecords(folder.path), claims), by: nil,
        countsDeaths: isOneOfMany)
      let isBegun = try queue.next() != nil
      #expect(isBegun == (!isOneOfMany || attempt <= 10), "attempt \(attempt)")
      #expect(queue.failures.isEmpty == isBegun)
      claims.release(run.name)
    }
  }

  /// A training that is stopped again and again comes to the same record; another build's checkpoint is not used.
  @Test func trainingsAreResumedBitForBit() throws {
    let text =
      "kernels: deformable\nmodels: bottleneck20\nlatency: false\nseeds: 1\ntraining: {epochs: 2, batch: 256}\n"
    let run = try #require(SweepTests.plan(text).runs.last), training = try #require(SweepWork.Training(run))
    let claims = try join(1)
    let work = SweepWork(
      folder: folder, claims: claims, machine: .current(), threads: 1, checkpoints: 1000)
    func result(_ record: SweepRecord?) throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return try encoder.encode(try #require(record).result)
    }
    var asked = 0
    let whole = try work.train(training) {
      asked += 1
    } onEpoch: { _ in
    }
    #expect(whole?.result.offsets != nil && whole?.result.epochs?.count == 2)
    var parts: SweepRecord?, stops = 0, steps = 0
    while parts == nil {
      var now = 0
      do {
        parts = try work.train(training) {
          now += 1
          steps += 1
          if now == 4 { throw Cancellation.Requested() }
        } onEpoch: { _ in
        }
      } catch is Cancellation.Requested { stops += 1 }
    }
    #expect(stops == 2 && steps == asked, "no step is made twice")
    #expect(try result(parts) == result(whole))
    let seconds = parts?.timing.seconds ?? []
    #expect(seconds.count == 2 && seconds.allSatisfy(\.isFinite))
    // Damaged, or of another build: from the beginning, with the same result.
    let path = folder.path("checkpoints/\(run.name).safetensors")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let build = try #require(ProgramBuild.fingerprint)
    for spoilt in [bytes.prefix(bytes.count / 2), Data(), replaced(bytes, build, String(build.reversed()))] {
      try spoilt.write(to: URL(fileURLWithPath: path))
      var steps = 0
      #expect(
        try result(
          work.train(training) {
            steps += 1
          } onEpoch: { _ in
          }) == result(whole))
      #expect(steps == asked)
    }
  }

  private func replaced(_ bytes: Data, _ old: String, _ new: String) -> Data {
    var bytes = bytes
    while let range = bytes.range(of: Data(old.utf8)) { bytes.replaceSubrange(range, with: Data(new.utf8)) }
    return bytes
  }
}
