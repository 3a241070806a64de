import Foundation
import Kernels
import Layers
import Learning
import Tensors

/// The effective receptive fields of stacks of kernels, or of models.
public struct FieldStudy {
  /// What is looked at.
  public struct Plan: Sendable {
    /// Rows and columns of the images.
    public var size: Pair
    /// Channels of the images.
    public var channels: Int
    /// Draws of weights and images.
    public var seeds: Int
    /// Images of each draw.
    public var batch: Int
    /// Threads of each layer.
    public var threads: Int

    /// A plan.
    public init(size: Pair, channels: Int, seeds: Int, batch: Int, threads: Int) {
      self.size = size
      self.channels = channels
      self.seeds = seeds
      self.batch = batch
      self.threads = threads
    }
  }

  /// One kernel.
  public struct Row: Sendable {
    /// The item of `--conv`.
    public let kernel: String
    /// The field, or nil if the kernel refused.
    public let field: ReceptiveField?
    /// Why there is none.
    public let refusal: String?
  }

  /// A row for each kernel.
  public private(set) var rows: [Row] = []

  /// Runs the study.
  ///
  /// - Parameter makeLayers: the layers of a kernel for a seed, one behind the other; the last gives the map whose
  ///   centre looks.
  public init(
    _ kernels: [KernelChoice], _ plan: Plan, progress: ProgressLine? = nil,
    makeLayers: (_ kernel: KernelChoice, _ seed: UInt64) throws -> [any Layer]
  ) throws {
    let shape = FeatureShape(
      batch: plan.batch, height: plan.size.height, width: plan.size.width, channels: plan.channels)
    try Tensor.checkSize(shape.extents, "The images")
    for kernel in kernels {
      do {
        var field = ReceptiveField(height: shape.height, width: shape.width)
        for seed in 0..<plan.seeds {
          try Cancellation.check()
          let layers = try makeLayers(kernel, UInt64(seed))
          _ = try layers.reduce(shape) { try $1.outputShape(for: $0) }
          var random = Random(seed: UInt64(seed)).split("images")
          field.add(layers, Tensor(normal: shape.extents, using: &random), threads: plan.threads)
          progress?.advance("\(kernel.item), seed \(seed)")
        }
        guard field.pixels(holding: 1) != nil else {
          throw WorkbenchError("\(kernel.item): no gradient, or an infinite one, reaches the images.")
        }
        rows.append(Row(kernel: kernel.item, field: field, refusal: nil))
      } catch let error as WorkbenchError {
        rows.append(Row(kernel: kernel.item, field: nil, refusal: error.description))
      }
    }
  }

  /// Layers with a kernel, each with batch normalisation and a ReLU behind it.
  public static func stack(
    _ kernel: KernelChoice, depth: Int, window: Int, channels: Int, seed: UInt64
  ) throws -> [any Layer] {
    let place = try ConvolutionGeometry(
      inputChannels: channels, outputChannels: channels, kernel: Pair(window), stride: Pair(1),
      padding: Padding(Pair(window / 2)), dilation: Pair(1), groups: 1)
    return try (0..<depth).map { number in
      Sequential([
        ("conv", try kernel.makeLayer(at: place, random: Random(seed: seed).split("layer \(number)"))),
        ("bn", BatchNormalization(channels: channels)), ("relu", ReLU()),
      ])
    }
  }

  /// The file field.csv.
  public func table(_ shared: [(column: String, cell: String)]) -> CSVTable {
    CSVTable(fields: rows.map { ($0.kernel, $0.field.flatMap(FieldSummary.init), $0.refusal) }, shared)
  }

  /// The table for people.
  public var text: String {
    var table = TextTable(
      ["kernel"] + FieldSummary.shares.map { "side \($0) %" } + FieldSummary.shares.map { "extent \($0) %" })
    for row in rows {
      guard let field = row.field else {
        table.append([row.kernel] + Array(repeating: "–", count: 2 * FieldSummary.shares.count))
        continue
      }
      let shares = FieldSummary.shares.map { Double($0) / 100 }
      table.append(
        [row.kernel]
          + shares.map {
            Cell.fixed(field.pixels(holding: $0).map { Double($0).squareRoot() }, decimals: 1)
          } + shares.map { field.extent(holding: $0).map(String.init) ?? "" })
    }
    let problems = rows.compactMap { row in row.refusal.map { "\(row.kernel) was refused: \($0)" } }
    let legend = """

      side: of a square as large as the fewest pixels that hold the share of all contributions; extent: of the
      smallest square about the centre that does
      """
    return ([table.text, legend] + problems).joined(separator: "\n")
  }

  /// What a map's file is called, without its ending: some words, without what file systems or shells take amiss.
  static func fileName(_ words: [String]) -> String {
    String(
      words.joined(separator: "_").prefix(120)
        .map { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) ? $0 : "_" })
  }

  /// Writes each field into a folder: KERNEL.npy, the shares, and KERNEL.pgm, a picture of their square roots.
  public func writeMaps(to folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(folder) cannot be made; choose another one with --map.")
    }
    for row in rows {
      guard let field = row.field else { continue }
      let path = (folder as NSString).appendingPathComponent(Self.fileName([row.kernel]))
      try NpyFile.write(
        Tensor(field.shares.map(Float.init), [field.height, field.width]), to: path + ".npy")
      try AtomicFile.write(field.picture, to: path + ".pgm")
    }
  }
}

extension ReceptiveField {
  /// A grey picture (PGM): the square root of each pixel's share, the largest white.
  public var picture: Data {
    let shares = shares, largest = shares.max() ?? 0
    var data = Data("P5\n\(width) \(height)\n255\n".utf8)
    for share in shares {
      data.append(largest > 0 ? UInt8((255 * (share / largest).squareRoot()).rounded()) : 0)
    }
    return data
  }
}
