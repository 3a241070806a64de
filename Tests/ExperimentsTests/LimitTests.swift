import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import Experiments

/// Small inputs that stood for endless work or numbers beyond all bounds.
@Suite struct LimitTests {
  let folder = TemporaryFolder()

  private func write(_ text: String, to name: String) throws -> String {
    let path = folder.appendingPathComponent(name).path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// The sentence of the error that `body` throws.
  private func sentence(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  @Test func aliasesOfYAMLAreRefusedBeforeTheyAreRead() throws {
    // Each level is ten of the one before, and the last is a key, which the reader would hash.
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(aliases)]\n"
    }
    bomb += "? *a9\n: x\n"
    #expect(
      sentence { _ = try YAMLValue.parse(bomb, file: "f") }
        == "f:2: this part of YAML is not supported: ‘*a…’, an alias; write out what it stands for.")
    for text in [
      "*a", "a: *b", "[*a]", "{a: *b}", "- *a", "\"a\"*b", "# c\r*a", "# \u{2028}*a", "\u{feff}*a",
      "a: \"\n # \" *b",
    ] {
      #expect(sentence { _ = try YAMLValue.parse(text, file: "f") }?.contains("an alias") == true, "\(text)")
    }
    for text in ["? a\n: b", "?\n a\n", "{? [x]: y}", "- ? a", "a:\n  ? b", "? \"#\" ? "] {
      #expect(
        sentence { _ = try YAMLValue.parse(text, file: "f") }?.contains("is not a word") == true, "\(text)")
    }
    for text in [
      "a: 3*4", "a: b * c", "# *a* and ? so on\na: b", "a: b # *c", "a: why?", "a: &b c", "a: /x/*.npy",
      "'a': don't",
    ] {
      #expect(sentence { _ = try YAMLValue.parse(text, file: "f") } == nil, "\(text)")
    }
  }

  @Test func problemFilesThatNameEachOtherManyTimesEnd() throws {
    for level in 1...6 {
      _ = try write(String(repeating: "--batch=p\(level + 1).txt\n", count: 30), to: "p\(level).txt")
    }
    _ = try write("ic8ih8oc8kh3ph1\n", to: "p7.txt")
    let path = folder.appendingPathComponent("p1.txt").path
    #expect(
      sentence { _ = try ProblemFile.read(path, batch: nil) }?.hasSuffix(
        "there are more than 100000 problems in this file and those before it; remove some.") == true)
    _ = try write("", to: "p7.txt")
    #expect(
      sentence { _ = try ProblemFile.read(path, batch: nil) }?.hasSuffix(
        "there are more than 1000000 lines in this file and those before it; remove some.") == true)
    _ = try write("ic8ih8oc8kh3ph1\n", to: "p7.txt")
    let two = try write("--batch=p7.txt\n--batch=p7.txt\n", to: "two.txt")
    #expect(try ProblemFile.read(two, batch: nil).count == 2)
  }

  @Test func countsOfRecordsAreExactAndCannotOverflow() throws {
    func decoded(_ macs: String) throws -> Cost {
      try JSONDecoder().decode(
        Cost.self,
        from: Data("{\"parameters\":1,\"macs\":\(macs),\"adds\":2,\"otherOps\":3,\"bytes\":4}".utf8))
    }
    #expect(try decoded("9007199254740992").operations == 2 * (1 << 53) + 5)
    for wrong in ["9007199254740993", "9223372036854775807", "-1", "1e300", "1.5"] {
      #expect(throws: DecodingError.self) { try decoded(wrong) }
    }
    let cost = try decoded("5"), again = try JSONDecoder().decode(Cost.self, from: JSONEncoder().encode(cost))
    #expect(cost == again)
    let huge = Cost(parameters: .max, macs: .max, adds: .max, otherOps: .max, bytes: .max)
    #expect(huge.operations == .max && (huge + huge).macs == .max)
  }

  private func gnuplot(_ commands: String, limit: Double = 60) throws -> Gnuplot {
    try Self.gnuplot(commands, in: folder.url, limit: limit)
  }

  /// Stand-ins for gnuplot, in a shell's words. Another process writes them: a program that this one holds open, and so
  /// any child that is started meanwhile, is busy and cannot be started.
  static func gnuplot(_ commands: String, in folder: URL, limit: Double = 60) throws -> Gnuplot {
    let path = folder.appendingPathComponent("gnuplot-\(UUID().uuidString)").path
    let write = "printf '#!/bin/sh\n%s\n' \"$1\" >\"$2\" && chmod +x \"$2\""
    let written = ChildProcess.run("/bin/sh", ["-c", write, "sh", commands, path], limit: 60)
    #expect(written?.status == 0)
    return try #require(Gnuplot(path, limit: limit))
  }

  private let plot = Plot(name: "p", title: "t", caption: "c", data: "1 2\n", commands: ["plot 'p.dat'"])

  private func failure(_ gnuplot: Gnuplot) -> Gnuplot.Failure? {
    do {
      _ = try gnuplot.draw(plot)
      return nil
    } catch { return error }
  }

  @Test func gnuplotsThatHangAreStopped() throws {
    let hanging = try #require(failure(gnuplot("sleep 1000", limit: 0.2)))
    #expect(hanging.isLate && hanging.sentence.hasPrefix("gnuplot did not draw p within 0.2 seconds"))
    // A child that keeps the outputs open, in its own session or not, is not waited for.
    for background in ["sleep 1000", "setsid sleep 1000"] {
      let start = ContinuousClock.now
      let end = try #require(failure(gnuplot("\(background) &\nexit 0")))
      #expect(!end.isLate && end.sentence.hasPrefix("gnuplot ended without drawing p;"))
      #expect(ContinuousClock.now - start < .seconds(50), "half of its limit, far more than it takes")
    }
  }

  @Test func gnuplotsThatFailAreHeard() throws {
    #expect(try failure(gnuplot("exit 0"))?.sentence.hasPrefix("gnuplot ended without drawing p;") == true)
    #expect(
      try failure(gnuplot("echo '\"p.gp\" line 3: unknown' >&2; exit 1"))?.sentence
        == "gnuplot could not draw p: \"p.gp\" line 3: unknown")
    // More than a pipe holds, on both outputs.
    let loud =
      "i=0; while [ $i -lt 3000 ]; do echo 'line of some words of a length'; echo 'line too' >&2; i=$((i+1)); done"
    #expect(try failure(gnuplot("\(loud); exit 3"))?.sentence == "gnuplot could not draw p: line too")
    #expect(try failure(gnuplot("kill -9 $$"))?.sentence == "gnuplot could not draw p: it failed")
    let missing = try #require(Gnuplot(folder.appendingPathComponent("none").path))
    #expect(failure(missing) != nil)
    let drawn = try gnuplot("cp p.gp p.svg; cp p.dat p.png").draw(plot)
    #expect(String(decoding: drawn.svg, as: UTF8.self) == plot.script && drawn.png == Data("1 2\n".utf8))
  }

  /// A report tells which pictures it could not draw, and does not try the rest after one that took too long.
  @Test func reportsGoOnWithoutPictures() throws {
    let rows = ["a", "b", "c"].map { "\($0),m,d,9\($0 == "a" ? 1 : 2),\($0 == "a" ? 5 : 6),7" }
    _ = try write(
      "kernel,model,data,top1_mean,macs,params\n" + rows.joined(separator: "\n") + "\n", to: "networks.csv")
    let late = try Report(folder: folder.path, gnuplot("sleep 1000", limit: 0.1)).write(.html)
    #expect(late.plots >= 2 && late.drawn == 0 && late.warnings.count == 1, "\(late.warnings)")
    let silent = try Report(folder: folder.path, gnuplot("exit 0")).write(.html)
    #expect(silent.drawn == 0 && silent.warnings.count == silent.plots)
    #expect(FileManager.default.fileExists(atPath: silent.path))
    #expect(
      !FileManager.default.fileExists(
        atPath: folder.appendingPathComponent("plots/accuracy-macs-m-d.svg").path))
  }

  /// Numbers that no table of ours holds.
  @Test func wildNumbersInTablesMakeAPage() throws {
    _ = try write(
      "kernel,model,data,top1_mean,macs\na,m,d,-1e9,1e300\nb,m,d,-1e8,-1e300\n", to: "networks.csv")
    _ = try write(
      "kernel,problem,pass,status,threads,gflops,bytes,time_ms_median\na,p,forward,ok,1e300,1,1,1\n",
      to: "operators.csv")
    let machine: [String: Any] = [
      "processor": "p", "cores": 2, "memory_gib": 1.5, "instruction_set": "i", "system": "s", "compiler": "c",
      "configuration": "c", "packages": [:] as [String: String], "date": "d", "command": ["c"],
      "peak_gflops_per_thread": 1e300, "bandwidth_gb_per_s": 1e-300,
    ]
    try JSONSerialization.data(withJSONObject: machine).write(
      to: folder.appendingPathComponent("machine.json"))
    let outcome = try Report(folder: folder.path, gnuplot("exit 1")).write(.html)
    #expect(outcome.plots >= 2)
  }

  @Test func sentencesStayOnOneLine() {
    #expect(
      "a\nb\r\tc\u{1b}[31m\u{202e}\u{2028}\0".onOneLine == "a\\nb\\r\\tc\\u{1b}[31m\\u{202e}\\u{2028}\\u{0}")
    #expect(WorkbenchError("a\nb").description == "a\\nb")
    let long = WorkbenchError(
      "‘" + String(repeating: "x", count: 100_000) + "’ is unknown; choose another one."
    ).description
    #expect(long.unicodeScalars.count == WorkbenchError.longest)
    #expect(
      long.hasPrefix("‘xxx") && long.hasSuffix("xx’ is unknown; choose another one.") && long.contains(" … "))
    var table = TextTable(["a"])
    table.append(["x\ny\u{1b}[2J"])
    #expect(table.text.split(separator: "\n").count == 3 && !table.text.contains("\u{1b}"))
  }
}
