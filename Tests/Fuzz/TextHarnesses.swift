import Foundation
import Kernels
import Layers
import Networks
import Tensors

@testable import Command
@testable import Experiments

extension Harness {
  /// What a user writes: problems, kernels, sweeps.
  static let texts = [problem, problems, kernel, layer, initialization, yaml, sweep]

  private static let problem = Harness(
    "problem",
    texts: [
      "mb1_ic64ih56oc64oh56kh3ph1n\"res2\"", "ic8ih8oc8kh3",
      "g2mb3ic4ih5iw6oc8oh3ow5kh3kw2sh2sw1ph1pw0dh1dw0n",
      "ic16iw5oc8kw3", "mb1ic3id4ih4oc3kd1kh1",
    ]
  ) { text in
    let line = try ProblemFile.line(text, batch: nil)
    guard case .success(let problem) = line.problem else { return }
    let written = problem.geometry.problem(problem.input, name: nil)
    let again = try ConvolutionProblem(parsing: written)
    try require(
      again.geometry == problem.geometry && again.input == problem.input, "‘\(text)’ and ‘\(written)’")
    _ = try ConvolutionProblem(parsing: text, batch: 7)
  }

  /// Files p1.txt and p2.txt, which may name each other.
  private static let problems = Harness("problems") {
    ["== p1\nic8ih8oc8kh3\n# comment\n\n--dir=FWD_B\n--batch=p2.txt\n== p2\nic16ih5oc8kh1\nic3iw4oc2kw1\n"]
      .map { Array($0.utf8) }
  } read: { input in
    let folder = try Scratch.folder("problems")
    for (name, bytes) in Parts.split(input) where name == "p1" || name == "p2" {
      _ = try Scratch.file(bytes, "problems/\(name).txt")
    }
    try require(!(try ProblemFile.read("\(folder)/p1.txt", batch: nil)).isEmpty, "no lines")
  }

  private static let items =
    KernelRegistry.builtIn.kernels.map(\.name)
    + KernelRegistry.builtIn.kernels.flatMap { kernel in
      kernel.options.map { "\(kernel.name):\($0.name)=\($0.initialText)" }
    } + ["cbam:around=squeeze-excite:around=adder"]

  private static let kernel = Harness(
    "kernel",
    texts: items + ["standard,adder:dilation=2", "all", "shift+standard+cbam:around=adder:dilation=2"]
  ) { text in
    for choice in try KernelRegistry.builtIn.choices(text) {
      _ = choice.kernel.remarks(choice.options)
      let again = try KernelRegistry.builtIn.choice(choice.item)
      try require(
        again.kernel.name == choice.kernel.name && again.options == choice.options, "‘\(choice.item)’")
    }
  }

  /// An item at small convolutions: its layer, shapes, costs, and a pass where it is cheap.
  private static let layer = Harness("layer", texts: items) { text in
    let choice = try KernelRegistry.builtIn.choice(text)
    // Large options make large layers, which would take nearly all of the time: one in sixteen is enough of them.
    let isLarge = choice.item.split { !$0.isNumber }.contains { (Int($0) ?? .max) > 64 }
    guard !isLarge || text.utf8.reduce(0, { $0 &+ Int($1) }) % 16 == 0 else { return }
    var refusals: [WorkbenchError] = []
    for (channels, stride, window) in [(8, 1, 3), (6, 2, 3), (4, 1, 5)] {
      do {
        let place = try ConvolutionGeometry(
          inputChannels: channels, outputChannels: channels, kernel: Pair(window), stride: Pair(stride),
          padding: Padding(Pair(window / 2)))
        let layer = try choice.makeLayer(at: place, random: Random(seed: 1))
        let input = FeatureShape(batch: 1, height: 9, width: 7, channels: channels)
        let output = try layer.outputShape(for: input)
        let cost = try layer.cost(for: input, pass: .inference)
        try require(cost.operations >= 0 && cost.bytes >= 0, "\(cost)")
        guard cost.operations < 1_000_000, cost.bytes < 1_000_000 else { continue }
        let result = layer.forward(
          Tensor([Float](repeating: 0.5, count: input.extents.reduce(1, *)), input.extents),
          Context(training: false, threads: 1))
        try require(result.shape == output.extents, "\(result.shape) in place of \(output)")
      } catch let refusal as WorkbenchError { refusals.append(refusal) }
    }
    if refusals.count == 3 { throw refusals[0] }
  }

  private static let initialization = Harness(
    "init",
    texts: ["default"] + InitializationScheme.all.map(\.name)
      + InitializationScheme.all.flatMap { scheme in
        scheme.options.map { "\(scheme.name):\($0.name)=\($0.initialText)" }
      }
  ) { text in
    guard let chosen = try InitializationScheme.chosen(text) else { return }
    let again = try InitializationScheme.chosen(chosen.item)
    try require(again == chosen, "‘\(chosen.item)’")
  }

  private static let sweeps = [
    "kernels: [standard, dilated]\nmodels: bottleneck20\nseeds: [0, 3]\ntraining: {epochs: 1}\nlatency: {seconds: 0.1}\n",
    "models:\n  - name: resnet20\n    stages: [1, 2]\n    shortcut: projection\n    zero-init: true\nreplace: [spatial, all]\n",
    "groups:\n  - name: a\n    fields: {depth: 1, kernel: 3, channels: 2, size: 9x8, seeds: 1, batch: 1}\n  - {name: b, proxies: false, layers: true, models: resnet20}\n",
    "operators:\n  problems: [ic8ih8oc8kh3]\n  algorithms: [auto, direct]\n  passes: forward\n  seconds: 0.5\n",
    "models: [bottleneck20, resnet20]\nspace:\n  kernels: [standard, shift]\n  per: block\n  draw: 9\n  seed: 1\n  width: [0.5, 1]\n",
    "models: bottleneck20\ndata: synthetic\ntraining:\n  epochs: 2\n  schedule: step\n  milestones: [0.5, 0.7]\n  nesterov: off\n",
  ]

  private static let yaml = Harness(
    "yaml",
    texts: sweeps + [
      "- \"a\\x41\\u00e9\"\n- 'it''s'\n- |\n  block\n- >-\n  folded\n- !!str 3\n- &a b\n- {a: 1, b: [2, ~]}\n"
    ]
  ) { text in
    var rest = [try YAMLValue.parse(text, file: "f")], count = 0
    while let value = rest.popLast(), count < 10_000 {
      count += 1
      _ = try? value.truth("truth")
      _ = try? value.integer("integer", -5...5)
      _ = try? value.number("number", -5...5)
      _ = try? value.text("text")
      if value.isList { rest += value.elements }
      if value.isMapping {
        rest += (try? value.entries(known: ["a", "name", "groups"], of: "it"))?.map(\.value) ?? []
      }
    }
  }

  /// A file, its sweep, and the runs of it, as long as they are few and of data in the package.
  private static let sweep = Harness("sweep", texts: sweeps) { text in
    let path = try Scratch.file(Array(text.utf8), "sweep.yaml")
    let sweep = try Sweep(file: path, .builtIn)
    var runs = 0
    for group in sweep.groups {
      guard group.data.allSatisfy({ $0.value == "digits" || $0.value == "synthetic" }) else { return }
      let networks = group.models.reduce(0) { $0 + ($1.kernels ?? group.kernels).count }
      runs += networks * group.data.count * (group.seeds.count + 1)
      runs += ((group.operators?.problems.count ?? 0) + 1) * group.kernels.count
    }
    guard runs < 500 else { return }
    let plan = try SweepPlan(sweep, threads: 1)
    try require(Set(plan.runs.map(\.name)).count == plan.runs.count, "names of runs")
  }
}
