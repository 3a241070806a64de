import Foundation
import Kernels
import Layers
import Learning
import Tensors
import Testing

@testable import Experiments
@testable import Networks

/// Sweep files, their records and tables.
@Suite struct SweepTests {
  static func sweep(_ text: String) throws -> Sweep {
    try SweepParser(.builtIn).sweep(YAMLValue.parse(text, file: "a.yaml"))
  }

  static func plan(_ text: String) throws -> SweepPlan { try SweepPlan(sweep(text), threads: 1) }

  /// Files, and how the sentence that refuses them starts.
  static let wrong: [(String, String)] = [
    (
      "models: bottleneck20\ntraining:\n  epochs: 3\n  epoch: 4\n",
      "a.yaml:4: unknown key ‘epoch’; known here:"
    ),
    ("kernels:\n  - standard\n  - dilatd\nmodels: resnet20\n", "a.yaml:3: There is no kernel ‘dilatd’;"),
    ("kernels: [standard,\n  'adder:dilation=x']\nmodels: resnet20\n", "a.yaml:2: The option dilation"),
    ("models: bottleneck20\nseed: 3\n", "a.yaml:2: unknown key ‘seed’;"),
    ("models: bottleneck20\nseeds: three\n", "a.yaml:2: seeds is ‘three’;"),
    ("models: bottleneck20\nseeds: [1, 1]\n", "a.yaml:2: ‘1’ occurs twice here."),
    ("models: bottleneck20\nseeds: 0\n", "a.yaml:2: seeds is ‘0’;"),
    ("models: bottleneck20\nreplace: some\n", "a.yaml:2: replace is ‘some’;"),
    ("models:\n  - resnet20\n  - vgg\n", "a.yaml:3: There is no model ‘vgg’;"),
    ("models:\n  - {name: resnet20, window: 5}\n", "a.yaml:2: unknown key ‘window’;"),
    (
      "models: resnet20\ntraining:\n  rate: -1\n",
      "a.yaml:3: rate is ‘-1’; it must be a number from 0 to 1000."
    ),
    ("models: resnet20\nmodels: resnet32\n", "a.yaml:1: a key occurs twice in the mapping"),
    ("models: [resnet20\n", "a.yaml:2: invalid YAML:"),
    ("training:\n  epochs: 1\noperators:\n  seconds: 1\n", "a.yaml:2: there are no models to train;"),
    ("data: digits\n", "a.yaml:1: there is nothing to do;"),
    ("operators:\n  problems: [mb1_ic3]\n", "a.yaml:2: The problem ‘mb1_ic3’"),
    ("operators:\n  seconds: -1\n", "a.yaml:2: seconds is ‘-1’;"),
    ("operators:\n  passes: backwards\n", "a.yaml:2: passes is ‘backwards’;"),
    ("operators:\n  algorithms: [fast]\n", "a.yaml:2: there is no algorithm ‘fast’;"),
    ("models: resnet20\ninit: [he, hee]\n", "a.yaml:2: There is no initialisation ‘hee’; did you mean ‘he’?"),
    (
      "models: resnet20\ninit: [he, 'he:fan=in']\n",
      "a.yaml:1: the model ‘resnet20:init=he’ occurs twice here."
    ),
    (
      "init: he\nmodels:\n  - name: resnet20\n    init: xavier\n",
      "a.yaml:4: init is given both for all models and for this one;"
    ),
    ("kernels: dilted\n", "a.yaml:1: There is no kernel ‘dilted’; did you mean ‘dilated’?"),
    ("models: resnet20\nlatency: maybe\n", "a.yaml:2: latency is ‘maybe’;"),
    ("groups:\n  - models: resnet20\n", "a.yaml:2: this group has no name;"),
    ("models: [a, [b]]\n", "a.yaml:1: "), ("- a\n", "a.yaml:1: a sweep must be a mapping"),
    ("", "a.yaml is empty;"),
    ("models: resnet20\ndata: nothing\n", "a.yaml:2: The data ‘nothing’ is unknown;"),
    (String(repeating: "- ", count: 100_000), "a.yaml:1: invalid YAML:"),
    ("models: " + String(repeating: "[", count: 100_000), "a.yaml:1: invalid YAML:"),
  ]

  @Test(arguments: wrong) func whatIsWrongIsRefusedWithItsLine(_ text: String, _ start: String) throws {
    let error = #expect(throws: WorkbenchError.self) { try Self.plan(text) }
    #expect(error?.description.hasPrefix(start) == true, "\(error?.description ?? "nothing") is not \(start)")
    #expect(error?.description.contains("\n") == false)
  }

  /// Names are part of the files that users keep: they may only change on purpose.
  @Test func namesOfRunsAreStable() throws {
    // FNV-1a, 128 bits, of "" and "foobar": the values of the draft's reference.
    #expect(Fingerprint.of("") == "6c62272e07bb014262b821756295c58d")
    #expect(Fingerprint.of("foobar") == "343e1662793c64bf6f0d3597ba446f18")
    let plan = try Self.plan(
      "models: bottleneck20\nseeds: [7]\ntraining: {epochs: 2}\nkernels: [shift]\ndata: digits:validation=0\n"
    )
    #expect(plan.runs.map { $0.definition["kind"] } == ["network", "training", "training"])
    let run = try #require(plan.runs.last)
    #expect(run.definition["kernel"] == "shift" && run.definition["seed"] == "7")
    #expect(run.definition["epochs"] == "2" && run.definition["rate"] == "0.1")
    #expect(run.name == "465e60a7c46edbb24d8c86a20b010cfe")
    // Records of the digits' former split are found again by its name, and by no other.
    let former = try Self.plan(
      "models: bottleneck20\nseeds: [7]\ntraining: {epochs: 2}\nkernels: [shift]\ndata: digits:split=1437\n")
    #expect(former.runs.last?.name == "be1ad93d3b964e59492b34001ca186a4")
    // What is varied in a model is named as the file writes it.
    let varied = try Self.plan(
      "models: [{name: resnet20, dilate-stages: '3,2', zero-init: no}]\nkernels: ['dilated:dilation=4']\nreplace: all\ndata: digits:validation=0\n"
        + "seeds: 2\ntraining: {epochs: 2, optimizer: adamw, schedule: step, milestones: [0.5, 0.8], nesterov: false, rate: 1e-2, augment: off}\n"
    )
    #expect(varied.runs.last?.name == "455593b6df1573c88d752c5eebb6b741")
  }

  /// The command line's words for what is varied in a model, which records of `run` are named by.
  @Test func variedModelsAreNamedByValues() throws {
    var settings = ModelSettings()
    #expect(settings.notes.isEmpty)
    for (name, text) in [
      ("stages", "3,2"), ("width", "2"), ("zero-init", "on"), ("init", "he:fan=in"), ("expansion", "03"),
      ("shortcut", "projection"), ("replace", "all"),
    ] {
      let setting = try #require(ModelSettings.all.first { $0.name == name })
      try setting.set(&settings, [text], label: name)
    }
    #expect(
      settings.notes.map { "\($0.name)=\($0.text)" } == [
        "stages=2,3", "shortcut=projection", "zero-init=on", "expansion=3", "width=2.0", "init=he",
      ])
  }

  /// A short file may stand for millions of trainings, whose list would not fit into memory.
  @Test func aSweepHasALimit() throws {
    let text = "kernels: all\nmodels: [resnet20, resnet32, resnet44, resnet56, resnet110]\nseeds: 10000\n"
    let error = #expect(throws: WorkbenchError.self) { try Self.plan(text + "training: {epochs: 1}\n") }
    #expect(error?.description.hasPrefix("The sweep has more than 1000000 trainings") == true)
  }

  @Test func nameDependsOnEverythingThatDefinesARun() throws {
    let base = "models: bottleneck20\nseeds: 1\nlatency: false\ntraining: {epochs: 2}\n"
    let first = try Self.plan(base).runs
    #expect(try Self.plan(base).runs.map(\.name) == first.map(\.name))
    for (old, new) in [
      ("bottleneck20", "resnet20"), ("seeds: 1", "seeds: [1]"), ("epochs: 2", "epochs: 1"),
      ("latency: false", "latency: false\ndata: synthetic"),
      ("latency: false", "latency: false\nreplace: all"),
    ] {
      let other = try Self.plan(base.replacingOccurrences(of: old, with: new)).runs
      #expect(other.last?.name != first.last?.name, "\(new)")
    }
    // More seeds and kernels: what was there keeps its name.
    let more = try Self.plan(base.replacingOccurrences(of: "seeds: 1", with: "seeds: 3\nkernels: [dilated]"))
      .runs
    #expect(more.contains { $0.name == first.last?.name })
    #expect(more.count == 1 + 6)
  }

  /// A rule for initial weights is part of a run only if it is given; `default` is none.
  @Test func initialWeightsAreCompared() throws {
    let base = "models: bottleneck20\nseeds: 1\nlatency: false\ntraining: {epochs: 2}\n"
    let plain = try Self.plan(base), compared = try Self.plan(base + "init: [default, 'he:fan=in', xavier]\n")
    let comparisons = compared.groups[0].comparisons
    #expect(comparisons[0].trainings.map(\.name) == plain.groups[0].comparisons[0].trainings.map(\.name))
    #expect(
      comparisons.map(\.specification.model.name)
        == ["bottleneck20", "bottleneck20:init=he", "bottleneck20:init=xavier"])
    #expect(comparisons.map { $0.trainings[0].definition["model.init"] } == [nil, "he", "xavier"])
    #expect(comparisons.map(\.specification.model.initialization?.item) == [nil, "he", "xavier"])
    let own = try Self.plan(
      base.replacingOccurrences(of: "bottleneck20", with: "{name: bottleneck20, init: xavier}"))
    #expect(own.groups[0].comparisons[0].trainings[0].name == comparisons[2].trainings[0].name)
    let single = try Self.plan(base + "init: xavier\n")
    #expect(single.groups[0].comparisons[0].trainings[0].name == comparisons[2].trainings[0].name)
  }

  /// A model that was rebuilt under its name has other records; a regression's are those of its targets.
  @Test func rebuiltModelsHaveRecordsOfTheirOwn() throws {
    let plan = try Self.plan(
      "models: mean_spot\ndata: spots\nseeds: 1\nlatency: false\ntraining: {epochs: 2}\n")
    let comparison = plan.groups[0].comparisons[0], training = comparison.trainings[0].definition
    #expect(comparison.network.definition["model.revision"] == "2" && training["model.revision"] == "2")
    #expect(training["targets"] == "standardised" && training["weight-decay"] == "0.0")
    let other = try Self.plan("models: resnet20\nseeds: 1\nlatency: false\ntraining: {epochs: 2}\n")
    let definition = other.groups[0].comparisons[0].trainings[0].definition
    #expect(definition["model.revision"] == nil && definition["targets"] == nil)
  }

  @Test func runsAndGroupsKeepTheFilesOrder() throws {
    let plan = try Self.plan(
      """
      seeds: 2
      latency: false
      groups:
        - {name: late, models: [resnet32, resnet20], kernels: [shift, adder], training: {epochs: 1}}
        - {name: early, models: resnet20, replace: [all, spatial]}
        - {name: speed, operators: {problems: [mb1_ic8ih5oc8kh1, mb1_ic4ih5oc4kh1]}}
      """)
    #expect(plan.groups.map(\.name) == ["late", "early", "speed"])
    #expect(plan.groups[0].comparisons.map(\.specification.model.name) == ["resnet32", "resnet20"])
    #expect(plan.groups[1].comparisons.map(\.specification.model.replacement) == [.all, .spatial])
    let trainings = plan.groups[0].comparisons[0].trainings.map {
      "\($0.definition["kernel"] ?? "") \($0.definition["seed"] ?? "")"
    }
    #expect(trainings == ["standard 0", "standard 1", "shift 0", "shift 1", "adder 0", "adder 1"])
    #expect(plan.groups[2].operators.map(\.label) == ["mb1_ic8ih5oc8kh1", "mb1_ic4ih5oc4kh1"])
    // What is timed comes first, and nothing twice.
    let kinds = plan.runs.map { $0.definition["kind"] ?? "" }
    #expect(
      kinds == ["operators", "operators"] + Array(repeating: "network", count: 4)
        + Array(repeating: "training", count: 12))
  }

  @Test func recordsComeBackAsTheyWere() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("records-\(UUID().uuidString)")
      .path
    var records = try SweepRecords(folder)
    try ResultFolder(folder).make()
    let epoch = EpochResult(
      epoch: 1, rate: 0.1, trainLoss: 1.0 / 3, trainTop1: 2.0 / 7,
      test: TestResult(top1: 50, mse: nil, mae: nil, isFinite: true), seconds: 1.25)
    let record = SweepRecord(
      definition: ["kind": "training"], result: .init(epochs: [epoch]),
      timing: .init(
        speedups: [.nan], seconds: [1.25], date: "2026-01-01T00:00:00Z", processor: "a", instructionSet: "b"))
    try records.add(record)
    let again = try SweepRecords(folder)
    let name = try SweepRecord.name(record.definition)
    #expect(again.warnings.isEmpty)
    let found = try #require(again.known[name])
    #expect(found.epochs == [epoch])
    #expect(found.timing.speedups?.first?.isNaN == true)

    // Changed, of another run, cut short, or no record at all: reported, not used, and still there.
    let path = "\(folder)/records/\(name).json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for spoilt in [
      text.replacingOccurrences(of: "\"top1\" : 50", with: "\"top1\" : 99"),
      text.replacingOccurrences(of: "\"kind\" : \"training\"", with: "\"kind\" : \"network\""),
      String(text.prefix(100)), "", "{}", "[1, 2",
    ] {
      try spoilt.write(toFile: path, atomically: true, encoding: .utf8)
      let records = try SweepRecords(folder)
      #expect(records.known.isEmpty && records.warnings.count == 1, "\(spoilt.prefix(40))")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == spoilt)
    }
    // The run is made again: the spoilt file makes room, and is kept.
    var spoilt = try SweepRecords(folder)
    try spoilt.add(record)
    #expect(try SweepRecords(folder).known[name] != nil)
    #expect(try String(contentsOfFile: path + ".rejected1", encoding: .utf8) == "[1, 2")
  }

  /// Where a file does not say what is replaced, it is what the model has replaced by itself.
  @Test func modelsKeepTheirOwnReplacement() throws {
    let plan = try Self.plan(
      "models: [bottleneck20, addernet_resnet20]\nkernels: [standard]\nlatency: false\n")
    let replacements = plan.groups.flatMap { $0.comparisons.map { $0.network.definition["replace"] } }
    #expect(replacements == ["spatial", "all"])
  }

  /// Tables of classifications and regressions stand in one file.
  @Test func tablesOfDifferentColumnsJoin() {
    var table = CSVTable(columns: ["a", "b"]), other = CSVTable(columns: ["b", "c"])
    table.append(["a": "1", "b": "2"])
    other.append(["b": "3", "c": "4"])
    table.append(other)
    #expect(table.text == "a,b,c\n1,2,\n,3,4\n")
  }
}
