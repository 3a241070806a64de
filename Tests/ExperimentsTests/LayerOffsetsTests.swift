import Foundation
import Kernels
import Layers
import Learning
import Tensors
import Testing

@testable import Experiments
@testable import Networks

/// Learned offsets: positions, tables, pictures.
@Suite struct LayerOffsetsTests {
  private static func network(_ item: String) throws -> Network {
    try Network(
      Models.description("bottleneck20", inputChannels: 1, classes: 10),
      kernel: KernelRegistry.builtIn.choice(item), standard: KernelRegistry.builtIn.choice("standard"),
      seed: 0)
  }

  /// An untrained network reads on the regular grid; one whose predictor has a bias reads beside it.
  @Test func positionsAreTheGridPlusTheOffsets() throws {
    let network = try Self.network("deformable-v2"), image = Tensor(repeating: 1, [1, 8, 8, 1])
    let plain = try LayerOffsets(of: network, image, threads: 1)
    #expect(plain.layer == "layer2.1.conv2", "the last whose output has 4×4 pixels")
    #expect(plain.strideY == 2 && plain.strideX == 2 && plain.rows.count == 3 * 9)
    #expect(plain.rows.allSatisfy { $0.y == $0.gridY && $0.x == $0.gridX && $0.mask == 0.5 })
    let first = try #require(plain.rows.first)
    #expect((first.row, first.column, first.tap, first.gridY, first.gridX) == (2, 2, 0, 1, 1))
    let bias = try #require(network.parameters.first { $0.name == "layer2.1.conv2.offset.bias" }).parameter
    var values = bias.value.values
    (values[0], values[1], values[3]) = (0.25, -1, 2)  // tap 0 up and down, left and right; tap 1 sideways
    bias.value = Tensor(values, bias.value.shape)
    let moved = try LayerOffsets(of: network, image, threads: 1)
    #expect(moved.rows[0].y == 1.25 && moved.rows[0].x == 0)
    #expect(moved.rows[1].y == 1 && moved.rows[1].x == 4)
    #expect(try LayerOffsets(of: network, image, layer: "layer1.0.conv2", threads: 1).strideY == 1)
    let table = CSVTable(offsets: [("deformable-v2", moved)], [("model", "m")])
    #expect(
      table.rows[0].filter { $0.key.hasPrefix("image_") } == [
        "image_grid_y": "2", "image_grid_x": "2", "image_y": "2.5", "image_x": "0",
      ])
  }

  @Test func otherLayersAreRefused() throws {
    let image = Tensor(repeating: 1, [1, 8, 8, 1])
    #expect(throws: WorkbenchError.self) {
      try LayerOffsets(of: Self.network("standard"), image, threads: 1)
    }
    #expect(throws: WorkbenchError.self) {
      try LayerOffsets(of: Self.network("active"), image, layer: "conv1", threads: 1)
    }
    #expect(try Self.network("active").hasLearnedPositions)
    #expect(try !Self.network("shift").hasLearnedPositions)
    #expect(image.image(1) == nil && image.image(-1) == nil && image.image(0) == image)
  }

  @Test func aSweepKeepsThemAndAReportDrawsThem() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("offsets-\(UUID().uuidString)")
    let sweep = try SweepTests.sweep(
      "kernels: [deformable]\nmodels: bottleneck20\ndata: digits\nseeds: [3, 4]\nlatency: false\nproxies: false\ntraining: {epochs: 1}\n"
    )
    let outcome = try SweepRunner(sweep, threads: 2).run(output: folder.path)
    #expect(outcome.warnings.isEmpty && outcome.now == 5)
    let data = try ReportData(folder), rows = data.rows("offsets")
    #expect(rows.count == 27 && Set(rows.compactMap { $0["kernel"] }) == ["deformable"])
    #expect(rows.contains { $0["y"] != $0["grid_y"] }, "training moves them")
    #expect(data.imagePixels.count == 64)
    let plot = try #require(OffsetPlots.plots(data).first)
    #expect(plot.name == "offsets-bottleneck20-spatial-digits-deformable")
    #expect(plot.commands.last?.contains("index 3 using 5:6:7") == true)
    // The tables come back from the records.
    let path = folder.appendingPathComponent("offsets.csv").path
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try FileManager.default.removeItem(atPath: path)
    #expect(try SweepRunner(sweep, threads: 1).run(output: folder.path).now == 0)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }
}
