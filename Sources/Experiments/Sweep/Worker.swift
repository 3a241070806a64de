import Foundation
import Tensors

/// A process that works in a shared folder: what the others know of it. Its file there is touched regularly, and every
/// claim of its is a link to that file.
struct Worker: Codable, Hashable, Sendable {
  /// Its name: no other process has had it.
  var token = Worker.token
  /// Its machine: the node's name under Slurm, the host's elsewhere.
  var host = Worker.host
  /// Its number there.
  var process = ProcessInfo.processInfo.processIdentifier
  /// What tells it from a later process with the same number on the same host; nil where the system does not say.
  var start = Worker.start(of: ProcessInfo.processInfo.processIdentifier)
  /// Its Slurm job, such as 12_3.
  var job = Worker.job
  /// Where its output goes, if a scheduler's file has it.
  var log = ProcessInfo.processInfo.environment["WORKBENCH_LOG"]
  /// How often it touches its file, in seconds.
  var heartbeat: Double
  /// When it began, ISO 8601.
  var date = Date().formatted(.iso8601)

  /// Heartbeats that a worker may miss before its work is taken over.
  static let patience = 4.0

  /// Whether it is gone: known at once on its own host, elsewhere by the age of its last heartbeat in seconds.
  func isDead(age: Double) -> Bool {
    if host == Self.host, let start, let boot = Self.boot, start.hasPrefix(boot) {
      return Self.start(of: process) != start
    }
    return age > Self.patience * min(max(heartbeat, 0.05), 3600)
  }

  /// For people.
  var text: String { "\(host), process \(process)\(job.map { ", job \($0)" } ?? "")" }

  private static let token = String(UInt64.random(in: (1 << 60)...(.max)), radix: 16)

  /// This machine's name.
  static let host: String = {
    if let node = ProcessInfo.processInfo.environment["SLURMD_NODENAME"] { return node }
    // Foundation may ask name servers.
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }()

  private static let job: String? = {
    let variables = ProcessInfo.processInfo.environment
    guard let array = variables["SLURM_ARRAY_JOB_ID"], let task = variables["SLURM_ARRAY_TASK_ID"] else {
      return variables["SLURM_JOB_ID"]
    }
    return "\(array)_\(task)"
  }()

  /// The system's present start, and the space that its processes are numbered in.
  private static let boot: String? = {
    guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
      let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
    else { return nil }
    return "\(boot.trimmingCharacters(in: .whitespacesAndNewlines)) \(space) "
  }()

  /// The start of a process of this host; nil if there is none.
  private static func start(of process: Int32) -> String? {
    guard let boot, let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
      let name = status.lastIndex(of: ")")
    else { return nil }
    // After the name come the state, and as the twentieth the start in clock ticks. A zombie does nothing any more.
    let fields = status[name...].split(separator: " ").dropFirst()
    guard fields.count > 19, fields.first != "Z" else { return nil }
    return boot + fields[fields.startIndex + 19]
  }
}
