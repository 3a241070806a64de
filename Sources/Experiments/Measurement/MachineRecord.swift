import Compute
import Foundation
import Tensors

/// The machine, the build and the command that made a result: machine.json.
package struct MachineRecord: Codable, Sendable {
  /// The machine's name; nil in those of earlier versions.
  package let host: String?
  /// The processor's name.
  package let processor: String
  /// Logical processors.
  package let cores: Int
  /// Memory in GiB.
  package let memoryGiB: Double
  /// What `Compute` was built for: avx512, avx2 or portable.
  package let instructionSet: String
  /// The operating system.
  package let system: String
  /// The compiler.
  package let compiler: String
  /// Debug or release (`Compute` is optimised in both).
  package let configuration: String
  /// Versions of the packages built in.
  package let packages: [String: String]
  /// The commit of the sources, with `+` if they had changes; nil outside a checkout.
  package let commit: String?
  /// The fingerprint of the program's file; nil where it cannot be read.
  package let build: String?
  /// When the run began, ISO 8601.
  package let date: String
  /// The full command.
  package let command: [String]
  /// The measured multiply–add peak of one thread.
  package var peakGflopsPerThread: Double
  /// The measured copy bandwidth of one thread.
  package var bandwidthGBPerSecond: Double
  /// The kind of experiment whose results are in its folder; nil in those of earlier versions.
  package var experiment: Experiment?
  /// The tables in its folder that the command made; others are another command's. Nil in those of earlier versions.
  package var tables: [String]?
  /// How many of their records another build of the program made, if any.
  package var recordsOfOtherBuilds: Int?
  /// The machines and builds that the records of these tables come from; nil in those of earlier versions.
  package var machines: [Machine]?

  /// A machine and a build of the program on it.
  package struct Machine: Codable, Hashable, Sendable {
    /// As those of the whole record; what a record of earlier versions does not say is nil.
    package let host: String?, processor: String, cores: Int?, instructionSet: String
    package let commit: String?, build: String?
    /// How many records come from it.
    package let records: Int

    private enum CodingKeys: String, CodingKey {
      case host, processor, cores, commit, build, records, instructionSet = "instruction_set"
    }
  }

  /// What makes tables from records.
  package enum Experiment: String, Codable, Sendable {
    /// The main job: kernels side by side.
    case run
    /// An experiment in a file.
    case sweep
  }

  private enum CodingKeys: String, CodingKey {
    case host, machines, processor, cores, system, compiler, configuration, packages, commit, build, date,
      command
    case experiment, tables, recordsOfOtherBuilds = "records_of_other_builds"
    case memoryGiB = "memory_gib", instructionSet = "instruction_set"
    case peakGflopsPerThread = "peak_gflops_per_thread", bandwidthGBPerSecond = "bandwidth_gb_per_s"
  }

  /// The record of this process, on this machine, now. Measures the peaks: about a tenth of a second.
  package static func current() -> MachineRecord {
    MachineRecord(
      host: Worker.host, processor: Host.processorName, cores: ProcessInfo.processInfo.activeProcessorCount,
      memoryGiB: (Double(ProcessInfo.processInfo.physicalMemory) / Double(1 << 30) * 10).rounded() / 10,
      instructionSet: InstructionSet.built, system: ProcessInfo.processInfo.operatingSystemVersionString,
      compiler: compilerVersion, configuration: configurationName, packages: packageVersions(),
      commit: commit(), build: ProgramBuild.fingerprint,
      date: Date().formatted(.iso8601), command: CommandLine.arguments,
      peakGflopsPerThread: (MachinePeaks.multiplyAdd() * 10).rounded() / 10,
      bandwidthGBPerSecond: (MachinePeaks.bandwidth() * 10).rounded() / 10)
  }

  /// The record in a file; nil if there is none.
  static func read(_ path: String) -> MachineRecord? {
    guard let file = try? RegularFile(path, limit: 1 << 20), let bytes = try? file.read(file.size) else {
      return nil
    }
    return try? JSONDecoder().decode(MachineRecord.self, from: Data(bytes))
  }

  /// Writes the record as JSON, whole or not at all.
  package func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: path)
  }

  private static var compilerVersion: String {
    #if compiler(>=6.4)
      "Swift 6.4 or later"
    #elseif compiler(>=6.3)
      "Swift 6.3"
    #else
      "Swift 6.2"
    #endif
  }

  private static var configurationName: String {
    #if DEBUG
      "debug (compute code optimised)"
    #else
      "release"
    #endif
  }

  /// The folder of the package's sources, where it still is.
  static var root: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
  }

  private static func packageVersions() -> [String: String] {
    struct Resolved: Decodable {
      struct Pin: Decodable {
        struct State: Decodable { let version: String? }
        let identity: String
        let state: State
      }
      let pins: [Pin]
    }
    var versions: [String: String] = [:]
    versions["fftw"] = FourierPlan.libraryVersion
    if let data = try? Data(contentsOf: root.appendingPathComponent("Package.resolved")),
      let resolved = try? JSONDecoder().decode(Resolved.self, from: data)
    {
      for pin in resolved.pins { versions[pin.identity] = pin.state.version }
    }
    return versions
  }

  private static func commit() -> String? {
    guard let head = git("rev-parse", "HEAD") else { return nil }
    return head
      + (git("status", "--porcelain", "--untracked-files=no", "--", "Package.swift", "Sources")?.isEmpty
        == false ? "+" : "")
  }

  private static func git(_ arguments: String...) -> String? {
    let end = ChildProcess.run("/usr/bin/env", ["git", "-C", root.path] + arguments, limit: 10)
    guard let end, end.status == 0 else { return nil }
    return end.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
