import Foundation
import Kernels
import Tensors
import Testing

@testable import Experiments

/// What sweeps measure for pictures: layers and receptive fields.
@Suite struct SweepPictureTests {
  @Test(arguments: [
    ("layers: maybe\n", "a.yaml:2: layers is ‘maybe’;"),
    ("fields: often\n", "a.yaml:2: fields is ‘often’;"),
    ("fields: {deep: 3}\n", "a.yaml:2: unknown key ‘deep’;"),
    ("fields: {kernel: 4}\n", "a.yaml:2: kernel is ‘4’; it must be an odd number"),
    ("fields: {depth: 0}\n", "a.yaml:2: depth is ‘0’;"),
    ("fields: {size: 9x}\n", "a.yaml:2: size is ‘9x’;"),
    ("fields: {size: 1x4097}\n", "a.yaml:2: size is ‘1x4097’;"),
  ]) func whatIsWrongIsRefusedWithItsLine(_ text: String, _ start: String) throws {
    let error = #expect(throws: WorkbenchError.self) { try SweepTests.plan("models: resnet20\n" + text) }
    #expect(error?.description.hasPrefix(start) == true, "\(error?.description ?? "nothing")")
  }

  @Test func theyAreRunsOfTheirOwn() throws {
    let base = "kernels: shift\nmodels: bottleneck20\nseeds: 1\ntraining: {epochs: 1}\n"
    let plain = try SweepTests.plan(base).runs
    let more = try SweepTests.plan(base + "layers: true\nfields: true\n").runs
    #expect(
      more.map { $0.definition["kind"] } == ["network", "layers", "field", "field", "training", "training"])
    // What was there keeps its name.
    #expect(Set(more.map(\.name)).isSuperset(of: plain.map(\.name)))
    #expect(try SweepTests.plan(base + "layers: false\nfields: no\n").runs.map(\.name) == plain.map(\.name))
    // Fields need no model.
    #expect(try SweepTests.plan("fields: {depth: 2}\n").runs.count == 1)
    #expect(
      try SweepTests.plan("fields: {depth: 2}\n").runs[0].name
        != SweepTests.plan("fields: {depth: 3}\n").runs[0].name)
  }

  @Test func aSweepWritesLayersAndFields() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "pictures-\(UUID().uuidString)")
    func run(_ text: String) throws {
      let outcome = try SweepRunner(SweepTests.sweep(text), threads: 1).run(output: folder.path)
      #expect(outcome.warnings.allSatisfy { $0.contains("the file does not ask for") })
    }
    func maps() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("fields").path)
        .sorted()
    }
    let fields = "fields: {depth: 2, channels: 3, size: 9x7, seeds: 1, batch: 1}\n"
    try run(
      "kernels: ['dilated:dilation=3']\nmodels: bottleneck20\nlatency: false\nproxies: false\nlayers: true\n"
        + fields)
    let layers = try CSVTable(file: folder.appendingPathComponent("layers.csv").path)
    #expect(
      layers.columns == [
        "model", "replace", "data", "kernel", "layer", "batch", "c_in", "h", "w", "algorithm", "ms",
        "threads", "host", "isa", "build",
      ])
    #expect(Set(layers.rows.compactMap { $0["kernel"] }) == ["standard", "dilated:dilation=3"])
    #expect(layers.rows.allSatisfy { ($0["ms"].flatMap(Double.init) ?? -1) >= 0 })
    #expect(layers.rows.contains { $0["layer"] == "layer3.1.conv2" })
    #expect(try maps() == ["dilated_dilation_3.npy", "standard.npy"])
    let table = try CSVTable(file: folder.appendingPathComponent("fields.csv").path)
    #expect(table.rows.map { $0["map"] } == ["standard", "dilated_dilation_3"])
    // Two layers of 3×3 reach 2 pixels from the centre.
    #expect(table.rows[0]["extent_99"].flatMap(Int.init).map { $0 <= 5 } == true)
    let map = try FieldMap(folder.appendingPathComponent("fields/standard.npy").path)
    #expect(map.rows.count == 9 && map.rows[0].count == 7)
    #expect(map.rows[1].allSatisfy { $0 == 0 } && map.rows.joined().max() == 1)
    #expect(
      try ReportData(folder).fields.map(\.kernel).sorted() == ["dilated:dilation=3", "standard"])
    #expect(
      SpeedPlots.plots(try ReportData(folder)).map(\.name).contains {
        $0 == "layers-bottleneck20-spatial-digits-standard"
      })
    // Maps are made again from the records; those that the sweep has no longer go, a user's stay.
    try FileManager.default.removeItem(at: folder.appendingPathComponent("fields/standard.npy"))
    try NpyFile.write(
      Tensor(repeating: 1, [2, 2]), to: folder.appendingPathComponent("fields/mine.npy").path)
    try run(fields)
    #expect(try maps() == ["mine.npy", "standard.npy"])
  }

  @Test func fileNamesHoldNothingOdd() {
    #expect(FieldStudy.fileName(["adder:dilation=2"]) == "adder_dilation_2")
    #expect(FieldStudy.fileName(["../a b", "é(x),'`$"]) == ".._a_b___x_____")
    #expect(FieldStudy.fileName([String(repeating: "x", count: 999)]).count == 120)
  }

  /// With the defaults' draws the map is the operator's: a shift sees nine places, and the map's error is said.
  @Test func defaultsShowEveryDirectionOfAShift() throws {
    let settings = FieldSettings()
    let study = try FieldStudy([try KernelRegistry.builtIn.choice("shift")], settings.plan(threads: 1)) {
      kernel, seed in try settings.stack(kernel, seed: seed)
    }
    let map = try #require(study.rows[0].map)
    #expect(map.values.count { $0 > 0 } == 9, "\(map.values.filter { $0 > 0 })")
    let error = try #require(study.rows[0].summary?.standardError)
    #expect(error > 0 && error < 1)
  }
}
