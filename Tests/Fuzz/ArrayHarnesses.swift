import Foundation
import Kernels
import Layers
import Tensors

@testable import Experiments
@testable import Learning

extension Harness {
  /// Files of arrays and weights.
  static let arrays = [npy, safetensors, weights, checkpoint]

  private static let npy = Harness("npy") {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    func file(_ header: String, _ count: Int) -> [UInt8] {
      [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
        + (0..<count).map { UInt8($0 & 255) }
    }
    var seeds = [file(header, 24)]
    for (type, size) in [
      ("b1", 1), ("i1", 1), ("u1", 1), ("i2", 2), ("u4", 4), ("i8", 8), ("u8", 8), ("f8", 8),
    ] {
      seeds.append(file(header.replacing("<f4", with: (size == 1 ? "|" : ">") + type), 6 * size))
    }
    for (shape, count) in [("()", 1), ("(3,)", 3), ("(1, 1, 2, 3)", 6), ("(0, 5)", 0), ("(2L, 3L)", 6)] {
      seeds.append(file(header.replacing("(2, 3)", with: shape), 4 * count))
    }
    return seeds
  } read: { input in
    let path = try Scratch.file(input, "a.npy"), array = try NpyFile.read(path)
    let tensor = try array.tensor()
    try require(tensor.shape == array.shape && tensor.count == array.count, "\(tensor.shape)")
    if array.type.isInteger { _ = try? array.integers() }
    for (layout, axes) in [(TensorLayout.features, 4), (.convolution, 4), (.matrix, 2)]
    where tensor.shape.count == axes {
      let own = tensor.fromFileOrder(layout)
      try require(own.toFileOrder(layout).shape == tensor.shape, "\(layout)")
    }
    _ = try? FieldMap(path)
    let again = try Scratch.contents("b.npy") { try NpyFile.write(tensor, to: $0) }
    try require(try NpyFile.read(Scratch.file(again, "b.npy")).shape == array.shape, "written and read again")
  }

  private static let safetensors = Harness("safetensors") {
    [
      try Scratch.contents("a.safetensors") {
        try SafetensorsFile.write(
          [("a.weight", [2, 1], { Tensor([1, 2], [2, 1]) })], metadata: ["k": "v"], to: $0)
      },
      try Scratch.contents("a.safetensors") { try SafetensorsFile.write([], to: $0) },
    ]
      + ["F64", "F16", "BF16", "I64", "BOOL"].map { type in
        let size = type == "F64" || type == "I64" ? 8 : type == "BOOL" ? 1 : 2
        return safetensorsFile(
          "{\"x\":{\"dtype\":\"\(type)\",\"shape\":[3],\"data_offsets\":[0,\(3 * size)]}}", 3 * size)
      }
  } read: { input in
    var file = try SafetensorsFile(try Scratch.file(input, "a.safetensors"))
    for entry in file.entries {
      guard entry.type.isFloat else {
        try file.skip()
        continue
      }
      let tensor = try file.read()
      try require(tensor.shape == entry.shape, "\(entry.name): \(tensor.shape)")
    }
  }

  private static func safetensorsFile(_ header: String, _ count: Int) -> [UInt8] {
    let length = header.utf8.count
    return (0..<8).map { UInt8(length >> (8 * $0) & 255) } + Array(header.utf8)
      + [UInt8](repeating: 0x3c, count: count)
  }

  /// A convolution, a normalisation and a classifier of two channels.
  private static func network() throws -> any Layer {
    var random = Random(seed: 1)
    let place = try ConvolutionGeometry(
      inputChannels: 1, outputChannels: 2, kernel: Pair(3), padding: Padding(Pair(1)))
    let convolution = try KernelRegistry.builtIn.choice("standard").makeLayer(at: place, random: random)
    return Sequential([
      ("conv", convolution), ("bn", BatchNormalization(channels: 2)), ("pool", AdaptiveAveragePooling()),
      ("flatten", Flatten()), ("fc", Linear(inputs: 2, outputs: 2, random: &random)),
    ])
  }

  private static let weights = Harness("weights") {
    let network = try Harness.network()
    return [try Scratch.contents("w.safetensors") { try network.save(to: $0, metadata: ["model": "m"]) }]
  } read: { input in
    let path = try Scratch.file(input, "w.safetensors"), network = try Harness.network()
    // Both ways: what fits in part is not refused.
    let partial = try network.load(from: path, partial: true)
    try require(!partial.loaded.isEmpty, "nothing was loaded")
    _ = network.forward(
      Tensor([Float](repeating: 1, count: 16), [1, 4, 4, 1]), Context(training: false, threads: 1))
    try network.load(from: path)
  }

  /// Four images of two classes.
  private static let tiny: Dataset = {
    func examples(_ count: Int) throws -> Examples {
      try Examples(
        images: Tensor((0..<16 * count).map { Float($0 % 7) }, [count, 4, 4, 1]),
        labels: (0..<count).map { $0 % 2 },
        classes: 2, source: "tiny")
    }
    return certain { try Dataset(name: "tiny", classes: 2, train: examples(4), test: examples(2)) }
  }()

  private static func trainer() throws -> Trainer {
    var recipe = Recipe.standard(epochs: 3)
    recipe.batch = 2
    return Trainer(try Harness.network(), on: tiny, recipe, seed: 1, threads: 1)
  }

  private static let checkpoint = Harness("checkpoint") {
    let trainer = try Harness.trainer()
    return try (0..<3).map { _ in
      _ = try trainer.step()
      return try Scratch.contents("t.safetensors") {
        try Checkpoint.save(trainer, job: ["model": "m"], to: $0)
      }
    }
  } read: { input in
    let path = try Scratch.file(input, "t.safetensors"), trainer = try Harness.trainer()
    try Checkpoint.restore(trainer, job: ["model": "m"], from: path)
    // What was restored can be trained on, or the loss is no number.
    if !trainer.isFinished { _ = try trainer.step() }
  }
}
