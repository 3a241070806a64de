import Foundation
import Synchronization
import Tensors

/// Coordinates many processes, on many machines, that work in one folder: the files of DIR/claims.
///
/// Each process has one file there, TOKEN.worker, and touches it at every heartbeat. It claims a piece of work by a
/// hard link of that file under the work's name: link(2) is atomic, over NFS too, and one heartbeat keeps all claims
/// of a process alive. Ages are differences of times that the file server gave, so no two machines' clocks are
/// compared.
final class Claims: Sendable {
  /// This process.
  let worker: Worker
  private let folder: String
  private struct State {
    /// The claims that are this process's.
    var held: Set<String> = []
    var isClosed = false
    /// An error of the heartbeat, after which nothing is claimed.
    var failure: WorkbenchError?
  }
  private let state = Mutex(State())

  /// The claim of one who writes to a folder alone.
  static let whole = "folder"
  /// The claim of one who writes the tables.
  static let tables = "tables"

  /// Joins the processes that work in a folder.
  ///
  /// - Parameter worker: this process, which touches its file at every heartbeat.
  init(_ output: ResultFolder, _ worker: Worker) throws {
    self.worker = worker
    folder = output.path("claims")
    try register()
    Thread.detachNewThread { [self] in
      var last = ContinuousClock.now
      while !state.withLock({ $0.isClosed }) {
        Thread.sleep(forTimeInterval: min(worker.heartbeat, 0.2))
        if (ContinuousClock.now - last).seconds >= worker.heartbeat {
          last = .now
          beat()
        }
      }
    }
  }

  private func path(_ name: String) -> String { "\(folder)/\(name)" }
  private var own: String { path("\(worker.token).worker") }

  /// Writes this process's file. The folder of claims goes with the last who uses it, so it may have to be made again.
  private func register() throws {
    for _ in 0..<100 {
      if mkdir(folder, 0o777) != 0 && errno != EEXIST { break }
      let file = open(own, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
      if file < 0 && errno == ENOENT { continue }
      guard file >= 0 else { break }
      let text = try JSONEncoder().encode(worker)
      let isWritten = text.withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == text.count
      guard close(file) == 0, isWritten else {
        let reason = String(cString: strerror(errno))
        unlink(own)
        throw WorkbenchError("\(folder) cannot be written to: \(reason).")
      }
      return
    }
    let reason = String(cString: strerror(errno))
    throw WorkbenchError("\(folder) cannot be written to: \(reason); choose another folder with --output.")
  }

  /// Says that this process is alive, and notices claims that others have taken over.
  private func beat() {
    guard let mine = touch() else { return lose() }
    for name in state.withLock({ $0.held }) {
      var found = stat()
      if stat(path(name), &found) != 0 || found.st_ino != mine.inode {
        state.withLock { _ = $0.held.remove(name) }
      }
    }
  }

  /// After a long silence this process was taken for dead. It has lost its claims and starts again.
  private func lose() {
    state.withLock { state in
      guard !state.isClosed else { return }
      state.held = []
      do { try register() } catch {
        state.failure = error as? WorkbenchError ?? WorkbenchError("\(error)")
      }
    }
  }

  /// The file of this process, touched: the server's time is its own then. Nil if it is gone.
  @discardableResult
  private func touch() -> (inode: ino_t, time: Double)? {
    var found = stat()
    guard utimensat(AT_FDCWD, own, nil, 0) == 0, stat(own, &found) == 0 else { return nil }
    return (found.st_ino, Self.time(found))
  }

  private static func time(_ file: stat) -> Double {
    #if canImport(Darwin)
      Double(file.st_mtimespec.tv_sec) + Double(file.st_mtimespec.tv_nsec) / 1e9
    #else
      Double(file.st_mtim.tv_sec) + Double(file.st_mtim.tv_nsec) / 1e9
    #endif
  }

  /// Someone's claim, or file.
  struct Holder {
    let worker: Worker
    /// Seconds since the last heartbeat.
    let age: Double
    fileprivate let inode: ino_t, time: Double
    var isDead: Bool { worker.isDead(age: age) }
  }

  /// Who has claimed a piece of work; nil if nobody has.
  func holder(_ name: String) -> Holder? {
    guard let now = touch()?.time else { return nil }
    return Self.read(path(name), now: now)
  }

  /// Reads a claim, or a worker's file. It is opened, so that a network's file system asks the server.
  private static func read(_ path: String, now: Double) -> Holder? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var found = stat(), bytes = [UInt8](repeating: 0, count: 1 << 14)
    guard fstat(file, &found) == 0 else { return nil }
    let count = max(0, Foundation.read(file, &bytes, bytes.count))
    // An unreadable one died while starting, or is about to be written.
    let worker =
      (try? JSONDecoder().decode(Worker.self, from: Data(bytes[..<count])))
      ?? Worker(token: "", host: "an unknown host", process: 0, start: nil, job: nil, log: nil, heartbeat: 30)
    return Holder(worker: worker, age: now - time(found), inode: found.st_ino, time: time(found))
  }

  /// The outcome of trying to claim a piece of work.
  enum Claim {
    /// Somebody else has it.
    case taken(Holder)
    /// It is this process's now; before, it was of one who died with it, if there is one here.
    case mine(after: Worker?)
  }

  /// Claims a piece of work if it is unclaimed or its owner is dead.
  func take(_ name: String) throws -> Claim {
    if let failure = state.withLock({ $0.failure }) { throw failure }
    var dead: Worker?
    for _ in 0..<100 {
      if link(own, path(name)) == 0 {
        state.withLock { _ = $0.held.insert(name) }
        return .mine(after: dead)
      }
      switch errno {
      case EEXIST:
        guard let mine = touch(), let holder = Self.read(path(name), now: mine.time) else { continue }
        // The answer to a first attempt may have been lost.
        if holder.inode == mine.inode, !state.withLock({ $0.held.contains(name) }) {
          state.withLock { _ = $0.held.insert(name) }
          return .mine(after: dead)
        }
        guard holder.isDead else { return .taken(holder) }
        if remove(name, of: holder) { dead = holder.worker }
      case ENOENT: lose()
      default:
        throw WorkbenchError(
          "\(path(name)) cannot be made: \(String(cString: strerror(errno))); the folder must be on a file system with hard links and free space."
        )
      }
    }
    throw WorkbenchError("\(path(name)) cannot be made; check what else changes this folder.")
  }

  /// Removes a dead worker's claim, but not one that took its place meanwhile.
  @discardableResult
  private func remove(_ name: String, of holder: Holder) -> Bool {
    let aside = path(".\(worker.token)-\(name)")
    guard rename(path(name), aside) == 0 else { return false }
    defer { unlink(aside) }
    var found = stat()
    guard stat(aside, &found) == 0 else { return false }
    if found.st_ino == holder.inode && Self.time(found) == holder.time { return true }
    _ = link(aside, path(name))
    return false
  }

  /// Whether a claim is still this process's.
  func isHeld(_ name: String) -> Bool { state.withLock { $0.held.contains(name) } }

  /// Ends a claim.
  func release(_ name: String) {
    if state.withLock({ $0.held.remove(name) }) != nil { unlink(path(name)) }
  }

  /// The names in the folder of claims.
  private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] }

  /// The claims that there are, of whomever, with their holders.
  func all() -> [(name: String, holder: Holder)] {
    guard let now = touch()?.time else { return [] }
    return Self.all(names, in: folder, now: now)
  }

  private static func all(_ names: [String], in folder: String, now: Double) -> [(
    name: String, holder: Holder
  )] {
    names.filter { !$0.contains(".") }.sorted()
      .compactMap { name in read("\(folder)/\(name)", now: now).map { (name, $0) } }
  }

  /// The claims in a folder, for one who only looks: ages are by this machine's clock.
  static func all(in output: ResultFolder) -> [(name: String, holder: Holder)] {
    let folder = output.path("claims")
    return all(
      (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [], in: folder,
      now: Date().timeIntervalSince1970)
  }

  /// The names that are claimed, by whomever.
  func claimed() -> Set<String> { Set(names) }

  /// Who else works in the folder.
  func others() -> [Worker] {
    guard let now = touch()?.time else { return [] }
    return names.filter { $0.hasSuffix(".worker") && $0 != "\(worker.token).worker" }
      .compactMap { Self.read(path($0), now: now) }.filter { !$0.isDead }.map(\.worker)
  }

  /// The folder in which this process writes files before they get their names.
  private var unfinished: String { path("\(worker.token).files") }

  /// Writes a file, whole or not at all, as `write` does at the path that it is given. What is unfinished stands in a folder
  /// of this process's own, so that nobody takes it for what a dead one left.
  func publish(_ target: String, _ write: (String) throws -> Void) throws {
    mkdir(unfinished, 0o777)
    let file = "\(unfinished)/\(UInt64.random(in: .min ... .max)).\((target as NSString).pathExtension)"
    do { try write(file) } catch let error as WorkbenchError {
      throw WorkbenchError(error.description.replacingOccurrences(of: file, with: target))
    }
    // Each process removes the folders that it has emptied.
    for _ in 0..<100 {
      if rename(file, target) == 0 { return }
      guard errno == ENOENT,
        mkdir((target as NSString).deletingLastPathComponent, 0o777) == 0 || errno == EEXIST
      else { break }
    }
    let reason = String(cString: strerror(errno))
    unlink(file)
    throw WorkbenchError("\(target) cannot be written: \(reason).")
  }

  /// Removes the files of dead workers, and what they were writing.
  func clean() {
    guard let now = touch()?.time else { return }
    let all = names
    var gone: Set<String> = []
    for file in all where file.hasSuffix(".worker") && path(file) != own {
      if let holder = Self.read(path(file), now: now), holder.isDead { gone.insert(holder.worker.token) }
    }
    for token in gone {
      for file in all where file.hasPrefix(".\(token)-") { unlink(path(file)) }
      try? FileManager.default.removeItem(atPath: path("\(token).files"))
      // The last, so that who is stopped here is followed by another.
      unlink(path("\(token).worker"))
    }
  }

  /// Removes claims of dead workers on work that is done, or is no longer planned.
  func removeDead(where isDone: (String) -> Bool) {
    for (name, holder) in all() where holder.isDead && isDone(name) { remove(name, of: holder) }
  }

  /// Ends all claims, and leaves.
  func leave() {
    for name in state.withLock({ $0.held }) { release(name) }
    state.withLock { $0.isClosed = true }
    try? FileManager.default.removeItem(atPath: unfinished)
    unlink(own)
    rmdir(folder)
  }
}
