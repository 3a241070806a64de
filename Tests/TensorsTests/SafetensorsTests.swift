import Foundation
import Tensors
import Testing

struct SafetensorsTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("safetensors-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private func file(_ header: String, _ values: [UInt8] = [], length: Int? = nil) throws -> String {
    let path = self.path("\(UInt64.random(in: 0 ... .max)).safetensors")
    var data = withUnsafeBytes(of: UInt64(bitPattern: Int64(length ?? header.utf8.count)).littleEndian) {
      Data($0)
    }
    data.append(contentsOf: header.utf8)
    data.append(contentsOf: values)
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func writesAndReads() throws {
    let path = self.path("a.safetensors")
    let first = Tensor([1, -2, 3.5, .infinity, 0, 1e-30], [2, 3]), second = Tensor([7], [1])
    try SafetensorsFile.write(
      [("b.weight", [2, 3], { first }), ("a", [], { second })], metadata: ["made": "here"], to: path)
    var read = try SafetensorsFile(path)
    #expect(read.metadata == ["made": "here"])
    #expect(read.entries.map(\.name) == ["b.weight", "a"])
    #expect(read.entries.map(\.shape) == [[2, 3], []])
    #expect(try read.read() == first)
    #expect(try read.read().values == [7])
  }

  /// 1, −2, 65504 and 2⁻²⁴ in half precision; 1 and −2 in bfloat16; 0.1 in double precision.
  @Test func convertsOtherFloats() throws {
    let path = try file(
      #"{"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"d":{"dtype":"F64","shape":[1],"data_offsets":[12,20]}}"#,
      [0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x01, 0x00, 0x80, 0x3f, 0x00, 0xc0]
        + withUnsafeBytes(of: (0.1).bitPattern.littleEndian) { Array($0) })
    var read = try SafetensorsFile(path)
    #expect(try read.read().values == [1, -2, 65504, 0x1p-24])
    #expect(try read.read().values == [1, -2])
    #expect(try read.read().values == [0.1])
  }

  @Test func passesOver() throws {
    let path = try file(
      #"{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"x":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
      [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f])
    var read = try SafetensorsFile(path)
    try read.skip()
    #expect(try read.read().values == [1])
  }

  @Test(arguments: [
    // The header is no object, or cut short, or no JSON.
    "[]", #"{"a":"#, "", "{}x", #"{"a":1}"#,
    // Fields are missing or of the wrong kind.
    #"{"a":{"dtype":"F32","shape":[1]}}"#, #"{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}"#,
    #"{"__metadata__":{"a":1}}"#,
    // Sizes do not fit the values, the file or each other.
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
  ])
  func refuses(_ header: String) throws {
    let path = try file(header, [0, 0, 0, 0])
    #expect(throws: WorkbenchError.self) { _ = try SafetensorsFile(path) }
  }

  @Test func refusesImpossibleLengths() throws {
    for length in [Int.max, 1_000_000, -1] {
      let path = try file("{}", length: length)
      #expect(throws: WorkbenchError.self) { _ = try SafetensorsFile(path) }
    }
    let path = self.path("short.safetensors")
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
    #expect(throws: WorkbenchError.self) { _ = try SafetensorsFile(path) }
  }
}
