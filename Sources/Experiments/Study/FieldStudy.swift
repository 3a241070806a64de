import Foundation
import Kernels
import Layers
import Learning
import Tensors

/// The effective receptive fields of stacks of kernels, or of models.
package struct FieldStudy {
  /// What is measured.
  package struct Plan: Sendable {
    /// Rows and columns of the images.
    package var size: Pair
    /// Channels of the images.
    package var channels: Int
    /// Draws of weights and images.
    package var seeds: Int
    /// Images of each draw.
    package var batch: Int
    /// Threads of each layer.
    package var threads: Int

    /// A plan.
    package init(size: Pair, channels: Int, seeds: Int, batch: Int, threads: Int) {
      self.size = size
      self.channels = channels
      self.seeds = seeds
      self.batch = batch
      self.threads = threads
    }
  }

  /// One kernel.
  package struct Row: Codable, Sendable {
    /// The item of `--conv`; it is coded apart from the rest.
    package var kernel = ""
    /// The sizes of its field; nil if it refused.
    package let summary: FieldSummary?
    /// Each pixel's share of the contributions, row by row: Float32, little-endian.
    private let shares: Data?
    /// Why there is no field, if there is none.
    package let refusal: String?
    /// A remark, if the kernel initially reads less than it can.
    package let remark: String?

    private enum CodingKeys: CodingKey { case summary, shares, refusal, remark }

    init(_ kernel: String, _ field: ReceptiveField, remark: String?) {
      self.kernel = kernel
      self.remark = remark
      summary = FieldSummary(field)
      shares = field.shares.reduce(into: Data()) { data, share in
        withUnsafeBytes(of: Float(share).bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
      refusal = nil
    }

    init(_ kernel: String, refusal: String) {
      self.kernel = kernel
      summary = nil
      shares = nil
      remark = nil
      self.refusal = refusal
    }

    /// The shares, height × width; nil if there are none, or a record holds what cannot be.
    var map: Tensor? {
      guard let summary, let shares, (1...4096).contains(summary.height), (1...4096).contains(summary.width),
        shares.count == 4 * summary.height * summary.width
      else { return nil }
      let values = shares.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 4).map { place in
          Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        }
      }
      return Tensor(values, [summary.height, summary.width])
    }
  }

  /// A row for each kernel.
  package private(set) var rows: [Row] = []

  /// Runs the study.
  ///
  /// - Parameter makeLayers: the layers of a kernel for a seed, in sequence; the last one's output is the map whose
  /// centre is studied.
  package init(
    _ kernels: [KernelChoice], _ plan: Plan, progress: ProgressLine? = nil,
    makeLayers: (_ kernel: KernelChoice, _ seed: UInt64) throws -> [any Layer]
  ) throws {
    let shape = FeatureShape(
      batch: plan.batch, height: plan.size.height, width: plan.size.width, channels: plan.channels)
    try Tensor.checkSize(shape.extents, "The images")
    for kernel in kernels {
      do {
        var field = ReceptiveField(height: shape.height, width: shape.width)
        var startsAtZero = false
        for seed in 0..<plan.seeds {
          try Cancellation.check()
          let layers = try makeLayers(kernel, UInt64(seed))
          _ = try layers.reduce(shape) { try $1.outputShape(for: $0) }
          var random = Random(seed: UInt64(seed)).split("images")
          field.add(layers, Tensor(normal: shape.extents, using: &random), threads: plan.threads)
          startsAtZero = startsAtZero || layers.contains(where: \.hasWeightsOfZero)
          progress?.advance("\(kernel.item), seed \(seed)")
        }
        guard field.pixels(holding: 1) != nil else {
          throw WorkbenchError("\(kernel.item): the gradient to the images is zero or infinite.")
        }
        rows.append(
          Row(
            kernel.item, field,
            remark: startsAtZero ? Self.remark(onlyCentre: field.extent(holding: 1) == 1) : nil))
      } catch let error as WorkbenchError {
        rows.append(Row(kernel.item, refusal: error.description))
      }
    }
  }

  private static func remark(onlyCentre: Bool) -> String {
    onlyCentre
      ? "its contributions from other pixels start at zero, so only the centre contributes; show a trained model's field with --weights."
      : "some of its weights are zero before training, so this is not yet the operator's field; show a trained model's with --weights."
  }

  /// Layers with a kernel, each with batch normalisation and a ReLU after it.
  package static func stack(
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
  package func table(_ shared: [(column: String, cell: String)]) -> CSVTable {
    CSVTable(fields: rows, shared)
  }

  /// The table for people.
  package var text: String {
    let shares = Array(FieldSummary.shares.enumerated())
    let sides = shares.map { place, share in
      Column<Row>("side \(share) %") { row in
        row.summary?.sizes(place).map { Cell.fixed($0.side, decimals: 1) }
      }
    }
    let extents = shares.map { place, share in
      Column<Row>("extent \(share) %") { $0.summary?.sizes(place)?.extent }
    }
    let error = Column<Row>("± %") { row in
      row.summary?.standardError.map { Cell.fixed(100 * $0, decimals: 1) }
    }
    let table = TextTable(rows, [Column("kernel") { $0.kernel }] + sides + extents + [error])
    let problems = rows.compactMap { row in
      row.refusal.map { "\(row.kernel) was refused: \($0)" } ?? row.remark.map { "\(row.kernel): \($0)" }
    }
    let legend = """

      side: √(smallest number of pixels that hold that share of all contributions)
      extent: side of the smallest square about the centre that holds it
      ± %: standard errors of the pixels' shares over the draws, summed
      """
    return ([table.fitted, legend] + problems).joined(separator: "\n")
  }

  /// The name of a map's file, without its ending and without characters that are special to file systems or shells.
  static func fileName(_ words: [String]) -> String {
    String(
      words.joined(separator: "_").prefix(120)
        .map { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) ? $0 : "_" })
  }

  /// Writes each field into a folder: KERNEL.npy, the shares, and KERNEL.pgm, a picture of their square roots.
  package func writeMaps(to folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(folder) cannot be made; choose another one with --map.")
    }
    for row in rows {
      guard let map = row.map else { continue }
      let path = (folder as NSString).appendingPathComponent(Self.fileName([row.kernel]))
      try NpyFile.write(map, to: path + ".npy")
      try AtomicFile.write(Self.picture(map), to: path + ".pgm")
    }
  }

  /// A grey picture (PGM) of a map: the square root of each pixel's share, the largest white.
  private static func picture(_ map: Tensor) -> Data {
    let shares = map.values.map(Double.init), largest = shares.max() ?? 0
    var data = Data("P5\n\(map.shape[1]) \(map.shape[0])\n255\n".utf8)
    for share in shares {
      data.append(largest > 0 ? UInt8((255 * (share / largest).squareRoot()).rounded()) : 0)
    }
    return data
  }
}

extension Layer {
  /// Whether all weights of an array that is not a bias are zero, so that nothing passes it.
  fileprivate var hasWeightsOfZero: Bool {
    parameters.contains { $0.parameter.role != .bias && $0.parameter.value.values.allSatisfy { $0 == 0 } }
  }
}
