import Foundation
import TestSupport
import Testing

/// What the command writes to terminals, and to outputs that take nothing.
@Suite struct TerminalTests {
  #if os(Linux)
    /// The master's end of a new terminal of so many columns, and its other end.
    private func terminal(columns: UInt16) throws -> (master: Int32, other: FileHandle) {
      let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
      // TIOCSPTLCK and TIOCGPTN, which Swift does not import.
      var locked: Int32 = 0, number: Int32 = 0
      try #require(master >= 0 && ioctl(master, 0x4004_5431, &locked) == 0)
      try #require(ioctl(master, 0x8004_5430, &number) == 0)
      var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
      let other = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
      try #require(other >= 0 && ioctl(other, UInt(TIOCSWINSZ), &size) == 0)
      return (master, FileHandle(fileDescriptor: other, closeOnDealloc: true))
    }

    /// What the command writes to a terminal that is one of its outputs.
    private func shown(columns: UInt16, connect: (Process, FileHandle) -> Void) throws -> String {
      let (master, other) = try terminal(columns: columns)
      let process = Process()
      process.executableURL = Experiment.executable
      process.arguments = [
        "field", "--conv", "cbam:around=deformable-v2:mask=2sigmoid", "--depth", "1", "--channels", "2",
        "--size", "5", "--seeds", "3", "--batch", "1", "--threads", "1",
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      connect(process, other)
      try process.run()
      try other.close()
      var bytes: [UInt8] = [], buffer = [UInt8](repeating: 0, count: 4096)
      while case let count = read(master, &buffer, buffer.count), count > 0 { bytes += buffer[..<count] }
      close(master)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      return String(decoding: bytes, as: UTF8.self)
    }

    /// A table's columns that do not fit follow below, beside the kernels' names again.
    @Test func tablesDoNotWrap() throws {
      let lines = try shown(columns: 80) { $0.standardOutput = $1 }.split(whereSeparator: \.isNewline)
      #expect(lines.count { $0.hasPrefix("kernel ") } == 3, "\(lines)")
      #expect(lines.filter { !$0.contains(": ") }.allSatisfy { $0.count <= 80 }, "\(lines)")
    }

    /// A line that reaches the terminal's edge would wrap, and could not be replaced by the next.
    @Test func progressLinesDoNotWrap() throws {
      let lines = try shown(columns: 40) { $0.standardError = $1 }.split(separator: "\r")
      #expect(lines.count { $0.hasPrefix("fields ") } == 3 && lines.contains { $0.contains("…") }, "\(lines)")
      #expect(lines.allSatisfy { $0.count < 40 && !$0.contains("\n") }, "\(lines)")
    }

  #endif

  /// The options of a command come before those that it shares with others.
  @Test(arguments: ["train", "field", "proxies", "bench"]) func ownOptionsComeFirst(_ command: String) throws
  {
    let sections = try Experiment.run([command, "--help"]).output.split(whereSeparator: \.isNewline)
      .filter { $0.hasSuffix(":") && $0 == $0.uppercased() }
    #expect(sections.first == "OPTIONS:" && sections.count > 1, "\(sections)")
  }

  /// Results that did not arrive are no success.
  @Test(arguments: [["list"], ["describe", "resnet20"], ["--help"], ["conv", "--help"]])
  func outputThatIsLostIsAnError(_ arguments: [String]) throws {
    let process = Process(), errors = Pipe()
    process.executableURL = Experiment.executable
    process.arguments = arguments
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(text == "Error: Standard output could not be written: No space left on device.\n")
  }

  /// Messages that cannot be written are lost; they end no command, and change no status.
  @Test(arguments: ["2>/dev/full", "2>&-"], [("describe nonsense", 1), ("list", 0)])
  func errorsThatAreLostChangeNothing(_ target: String, _ command: (arguments: String, status: Int32)) throws
  {
    let outcome = try Experiment.run(
      URL(fileURLWithPath: "/bin/sh"),
      ["-c", "\"$0\" \(command.arguments) \(target)", Experiment.executable.path])
    #expect(outcome.status == command.status)
    #expect(outcome.output.isEmpty == (command.status != 0))
  }

  @Test func progressThatIsLostStopsNothing() throws {
    let folder = TemporaryFolder(), output = folder.appendingPathComponent("out").path
    let outcome = try Experiment.run(
      URL(fileURLWithPath: "/bin/sh"),
      [
        "-c", "\"$0\" \"$@\" 2>/dev/full", Experiment.executable.path, "run", "--conv", "shift", "--epochs",
        "0",
        "--progress", "plain", "--output", output,
      ])
    #expect(outcome.status == 0)
    #expect(FileManager.default.fileExists(atPath: "\(output)/networks.csv"))
  }
}
