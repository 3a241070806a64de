import Foundation

/// Runs another program to its end, or stops it when its time is up.
enum ChildProcess {
  /// Its outcome.
  struct Outcome {
    /// Its exit status; nil if it was stopped, by a signal or because its time was up.
    let status: Int32?
    /// Whether its time was up.
    let isLate: Bool
    /// What it wrote.
    let output: String, errors: String
  }

  /// Runs a program; nil if it cannot be started.
  ///
  /// Foundation's `Process` waits for everything that holds its pipes, so for a child's children too. Here outputs go
  /// to files, and the end of the child itself is what counts; what it has left running is stopped with it, by its
  /// process group.
  ///
  /// - Parameters:
  ///   - folder: where it runs; the folder of this process if nil.
  ///   - limit: how long it may take, in seconds.
  static func run(_ program: String, _ arguments: [String], in folder: String? = nil, limit: Double)
    -> Outcome?
  {
    guard let output = OutputFile(), let errors = OutputFile() else { return nil }
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?, attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.descriptor, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors.descriptor, STDERR_FILENO)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    posix_spawnattr_setpgroup(&attributes, 0)
    let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
    var process = pid_t()
    // What changes the folder of a child is not everywhere part of the system's interface; a shell has it.
    let move = folder.map { ["/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", $0] } ?? []
    let command = move + [program] + arguments
    let code = withPointers(command) { words in
      withPointers(environment) { posix_spawn(&process, command[0], &actions, &attributes, words, $0) }
    }
    guard code == 0 else { return nil }
    let (status, isLate) = wait(for: process, limit)
    return Outcome(status: status, isLate: isLate, output: output.text, errors: errors.text)
  }

  private static func wait(for process: pid_t, _ limit: Double) -> (status: Int32?, isLate: Bool) {
    let start = ContinuousClock.now
    var status: Int32 = 0, pause = 0.000_5, isLate = false
    while waitpid(process, &status, WNOHANG) == 0 {
      if (ContinuousClock.now - start) >= .seconds(limit) {
        isLate = true
        break
      }
      Thread.sleep(forTimeInterval: pause)
      pause = min(2 * pause, 0.05)
    }
    kill(-process, SIGKILL)
    if isLate { waitpid(process, &status, 0) }
    // The exit status is in the second byte where no signal is in the first.
    return (isLate || status & 0x7f != 0 ? nil : status >> 8 & 0xff, isLate)
  }

  /// Calls `body` with C strings, and nil after the last.
  private static func withPointers(
    _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
  ) -> Int32 {
    let pointers = texts.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    return body(pointers)
  }

  /// A file that only this process and its child can name.
  private struct OutputFile: ~Copyable {
    let descriptor: Int32

    init?() {
      var name = Array(
        FileManager.default.temporaryDirectory.appendingPathComponent("output-XXXXXX").path.utf8CString)
      descriptor = mkstemp(&name)
      guard descriptor >= 0 else { return nil }
      unlink(name)
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(descriptor) }

    /// The first megabyte.
    var text: String {
      var bytes = [UInt8](repeating: 0, count: 1 << 20), count = 0
      while count < bytes.count {
        let received = bytes.withUnsafeMutableBytes {
          pread(descriptor, $0.baseAddress! + count, $0.count - count, off_t(count))
        }
        guard received > 0 else { break }
        count += received
      }
      return String(decoding: bytes[..<count], as: UTF8.self)
    }
  }
}
