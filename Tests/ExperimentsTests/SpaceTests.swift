import Foundation
import Kernels
import Networks
import Tensors
import Testing

@testable import Experiments

/// Spaces of networks in sweeps, and the times that are predicted for them.
@Suite struct SpaceTests {
  private func kernels(_ text: String) throws -> [[String]] {
    try SweepTests.plan("proxies: false\nlatency: false\n" + text).groups[0].comparisons
      .map { $0.specification.kernels.map(\.item) }
  }

  @Test func allCombinationsAreNamedOnce() throws {
    #expect(
      try kernels("models: bottleneck20\nspace: {kernels: [shift, standard]}\n") == [
        [
          "standard", "shift", "shift+shift+standard", "shift+standard+shift", "shift+standard+standard",
          "standard+shift+shift", "standard+shift+standard", "standard+standard+shift",
        ]
      ])
    // The standard network is compared with in any case.
    #expect(try kernels("models: bottleneck20\nspace: {kernels: [shift, adder, dilated]}\n")[0].count == 28)
    let blocks = try kernels("models: bottleneck20\nspace: {kernels: [shift, standard], per: block}\n")[0]
    #expect(blocks.count == 64 && Set(blocks).count == 64)
    #expect(blocks[2] == "shift+shift+shift+shift+shift+standard")
    // Four stages; three models, of which two have another width.
    #expect(try kernels("models: resnet18\nspace: {kernels: [shift, standard]}\n")[0].count == 16)
    let text = "models: [bottleneck20, resnet20]\nspace: {kernels: [shift, standard], width: [0.5, 1]}\n"
    #expect(try kernels(text).map(\.count) == [8, 8, 8, 8])
    #expect(
      try SweepTests.plan(text).groups[0].comparisons.map(\.specification.model.name) == [
        "bottleneck20:width=0.5", "bottleneck20:width=1", "resnet20:width=0.5", "resnet20:width=1",
      ])
  }

  @Test func drawsAreSeededAndGrow() throws {
    func drawn(_ count: Int, seed: Int = 0) throws -> [String] {
      let space = "{kernels: [shift, adder, max-plus], per: block, draw: \(count), seed: \(seed)}"
      return Array(try kernels("models: bottleneck20\nspace: \(space)\n")[0].dropFirst())
    }
    let twenty = try drawn(20)
    #expect(twenty.count == 20 && Set(twenty).count == 20)
    #expect(try drawn(7) == Array(twenty.prefix(7)))
    #expect(try drawn(20, seed: 1) != twenty)
    // All there are, when as many are drawn.
    let all = try kernels("models: bottleneck20\nspace: {kernels: [shift, standard], draw: 8}\n")[0]
    #expect(Set(all).count == 8)
    // Of a space that no list could hold.
    let huge = "models: resnet152\nspace: {kernels: [shift, adder, dilated], per: block, draw: 2}\n"
    #expect(try kernels(huge)[0].count == 3)
    // Over several models every network is as likely: resnet18 has 3 ^ 4 of them, bottleneck20 3 ^ 3.
    let both = "models: [bottleneck20, resnet18]\nspace: {kernels: [shift, adder, dilated], draw: 60}\n"
    let counts = try kernels(both).map { $0.count - 1 }
    #expect(counts.reduce(0, +) == 60 && counts[1] > counts[0])
  }

  @Test(arguments: [
    ("space: {per: stage}\n", "a.yaml:2: this space has no kernels;"),
    ("space: {kernels: [shift], per: layer}\n", "a.yaml:2: per is ‘layer’;"),
    ("space: {kernels: [shift, shift]}\n", "a.yaml:2: ‘shift’ occurs twice here."),
    ("space: {kernels: [shift+adder]}\n", "a.yaml:2: ‘shift+adder’ joins kernels;"),
    ("space: {kernels: [shift], draws: 3}\n", "a.yaml:2: unknown key ‘draws’;"),
    (
      "space: {kernels: [shift, adder], draw: 9}\n",
      "a.yaml:2: this space has only 8 networks, fewer than draw: 9"
    ),
    ("space: {kernels: [shift], draw: 0}\n", "a.yaml:2: draw is ‘0’;"),
    ("space: {kernels: [shift]}\nkernels: adder\n", "a.yaml:3: kernels are given here and in"),
    ("space: {kernels: [shift]}\nmatch: params\n", "a.yaml:3: the networks of a space have the widths"),
    ("space: {kernels: [shift], width: 0}\n", "a.yaml:2: width is ‘0’;"),
    (
      "space: {kernels: [shift, adder, dilated, fft, standard, max-plus, depthwise], per: block}\n",
      "a.yaml:2: this space has more than 100,000 networks; draw some"
    ),
  ]) func whatIsWrongIsRefusedWithItsLine(_ text: String, _ start: String) throws {
    let error = #expect(throws: WorkbenchError.self) { try SweepTests.plan("models: bottleneck20\n" + text) }
    #expect(error?.description.hasPrefix(start) == true, "\(error?.description ?? "nothing")")
  }

  @Test func spacesNeedStages() throws {
    let error = #expect(throws: WorkbenchError.self) {
      try SweepTests.plan("models: squeezenet1_1\nspace: {kernels: [shift]}\n")
    }
    #expect(error?.description.hasPrefix("a.yaml:2: squeezenet1_1 has no stages of residual blocks;") == true)
  }

  /// A network is measured and trained by itself, so that a space that grows repeats nothing.
  @Test func eachNetworkIsARunOfItsOwn() throws {
    let base = "models: bottleneck20\nseeds: 1\ntraining: {epochs: 1}\n"
    let small = try SweepTests.plan(base + "space: {kernels: [shift, standard]}\n")
    let large = try SweepTests.plan(base + "space: {kernels: [shift, standard, adder]}\n")
    let kinds = small.runs.map { $0.definition["kind"] ?? "" }
    #expect(
      kinds == ["network", "layers"] + Array(repeating: "network", count: 8)
        + Array(repeating: "training", count: 8))
    #expect(Set(large.runs.map(\.name)).isSuperset(of: small.runs.dropFirst(2).map(\.name)))
    #expect(small.runs[0].definition["kernels"]?.split(separator: ",").count == 8)
    #expect(small.runs[1].definition["kernels"] == "standard,shift")
    // One kernel everywhere is the training of a plain sweep.
    let plain = try SweepTests.plan(base + "kernels: shift\n")
    #expect(Set(small.runs.map(\.name)).isSuperset(of: plain.groups[0].comparisons[0].trainings.map(\.name)))
  }

  @Test func aSpaceHasPredictedTimesInItsTable() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("space-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let sweep = try SweepTests.sweep("models: bottleneck20\nproxies: false\nspace: {kernels: [shift, 1x1]}\n")
    func run() throws -> SweepRunner.Outcome { try SweepRunner(sweep, threads: 1).run(output: folder.path) }
    let outcome = try run()
    #expect(outcome.now == 11 && outcome.summary.contains("over 6 timed networks"))
    let table = try CSVTable(file: folder.appendingPathComponent("networks.csv").path)
    #expect(table.rows.count == 9)
    for row in table.rows {
      #expect(row["latency_ms_predicted"].flatMap(Double.init).map { $0 > 0 } == true, "\(row)")
      #expect(row["latency_ms_median"].flatMap(Double.init).map { $0 > 0 } == true, "\(row)")
      #expect(row["status"] == "ok")
    }
    // What a stage costs does not depend on the others.
    func macs(_ kernel: String) throws -> Int {
      try #require(table.rows.first { $0["kernel"] == kernel }?["macs"].flatMap { Int($0) })
    }
    #expect(try macs("shift+1x1+1x1") + macs("1x1+shift+1x1") == macs("1x1") + macs("shift+shift+1x1"))
    #expect(try run().now == 0)
    let records = folder.appendingPathComponent("records")
    let one = try #require(SweepPlan(sweep, threads: 1).runs.last).name
    try FileManager.default.removeItem(at: records.appendingPathComponent("\(one).json"))
    #expect(try run().now == 1)
  }

  /// Blocks of 1, 2, … ms with one kernel, of ten times as much with another, and 5 or 10 ms outside of them, timed layer
  /// by layer; the first network as a whole takes twice the time of its layers. A third kernel's blocks are one layer each,
  /// as merged ones are, and what is outside of them is 40 ms, which the median does not follow.
  @Test func timesOfBlocksAdd() throws {
    let registry = KernelRegistry.builtIn
    let model = try #require(
      Models.description("bottleneck20", inputChannels: 1, classes: 10) as? ResidualDescription)
    let input = FeatureShape(batch: 1, height: 8, width: 8, channels: 1)
    var layers: [LayerTime] = []
    for (kernel, factor, outside) in [("standard", 1.0, 5.0), ("shift", 10.0, 10.0), ("fft", 2.0, 40.0)] {
      for block in 0..<6 {
        for part in kernel == "fft" ? [""] : [".conv1", ".conv2"] {
          layers.append(
            LayerTime(
              kernel: kernel, layer: "layer\(block / 2 + 1).\(block % 2)\(part)", input: input,
              algorithm: nil,
              times: RowTimes(milliseconds: [factor * Double(block + 1) / 2])))
        }
      }
      layers.append(
        LayerTime(
          kernel: kernel, layer: "conv1", input: input, algorithm: nil,
          times: RowTimes(milliseconds: [outside])))
    }
    func row(_ kernel: String, _ milliseconds: Double) -> NetworkRow {
      var row = NetworkRow(kernel: kernel)
      row.times.milliseconds = [milliseconds]
      return row
    }
    let items = [
      "standard", "shift", "standard+shift+standard", "shift+shift+standard", "adder+shift+shift",
      "fft",
    ]
    let networks = [
      row("standard", 52), row("shift", 220), row("standard+shift+standard", 90),
      row("shift+shift+standard", 132), row("fft", 61),
    ]
    let found = try #require(
      LatencyModel(model, items.map { try registry.choice($0) }, layers: layers, networks: networks))
    #expect(found.predictions["standard"] == 52 && found.predictions["shift"] == 220)
    // 10 + 2(1 + 2) + (30 + 40) + 2(5 + 6).
    #expect(found.predictions["standard+shift+standard"] == 108)
    #expect(found.predictions["adder+shift+shift"] == nil)
    #expect(abs((found.predictions["fft"] ?? 0) - 61) < 1e-9)
    // 108 for 90, and 132 for 132: 20 % and 0.
    #expect(found.error?.networks == 2)
    #expect(abs((found.error?.percent ?? 0) - 10) < 1e-9)
  }
}
