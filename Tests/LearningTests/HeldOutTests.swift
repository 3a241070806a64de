import Foundation
import Tensors
import Testing

@testable import Learning

/// Validation images that are taken from a training split.
@Suite struct HeldOutTests {
  /// Images of one pixel whose value is their number.
  private static func examples(_ labels: [Int], classes: Int = 10) throws -> Examples {
    try Examples(
      images: Tensor(labels.indices.map(Float.init), [labels.count, 1, 1, 1]), labels: labels,
      classes: classes, source: "test")
  }

  private static func numbers(_ examples: Examples) -> [Int] { examples.images.values.map { Int($0) } }

  @Test func areTheLastOfEachClass() throws {
    let (train, validation) = try Self.examples([0, 1, 0, 1, 0, 1, 0, 1, 0, 0]).holdingOut(5, of: "test")
    // Six and four of ten: three and two of five.
    let held = try #require(validation)
    #expect(Self.numbers(held) == [5, 6, 7, 8, 9] && held.labels == [1, 0, 1, 0, 0])
    #expect(Self.numbers(train) == [0, 1, 2, 3, 4] && train.labels == [0, 1, 0, 1, 0])
  }

  /// Whatever the classes: no image twice, none lost, in order, and each class within one image of its share.
  @Test func areBalancedAndApart() throws {
    var random = Random(seed: 5)
    for round in 0..<200 {
      let classes = 1 + random.below(8), count = classes + random.below(60)
      let labels = (0..<count).map { $0 < classes ? $0 : min(random.below(classes), random.below(classes)) }
      let all = try Self.examples(labels), wanted = random.below(count - classes + 1)
      let (train, validation) = try all.holdingOut(wanted, of: "test")
      let own = Self.numbers(train), held = validation.map(Self.numbers) ?? []
      #expect(held.count == wanted && (own + held).sorted() == Array(0..<count))
      #expect(own == own.sorted() && held == held.sorted())
      #expect(train.labels == own.map { labels[$0] } && (validation?.labels ?? []) == held.map { labels[$0] })
      for label in 0..<classes {
        let size = labels.count { $0 == label }, taken = held.count { labels[$0] == label }
        #expect(taken < size, "round \(round)")
        // A class of few images may leave its part to others.
        let isFull = (0..<classes).contains { other in
          let left = own.count { labels[$0] == other }
          return left == 1
        }
        let share = Double(size * wanted) / Double(count)
        #expect(abs(Double(taken) - share) < 1 || isFull, "round \(round)")
      }
    }
  }

  @Test func areATenthByDefault() throws {
    let (train, validation) = try Self.examples((0..<105).map { $0 % 10 }).holdingOut(nil, of: "test")
    #expect(train.count == 95 && validation?.count == 10)
    #expect(Set(validation?.labels ?? []) == Set(0..<10))
    // Too few for one, or no class with two.
    #expect(try Self.examples([0, 0, 0, 1, 1]).holdingOut(nil, of: "test").validation == nil)
    #expect(try Self.examples(Array(0..<10)).holdingOut(nil, of: "test").validation == nil)
    #expect(try Self.examples([0, 0, 1, 1]).holdingOut(0, of: "test").validation == nil)
  }

  @Test func leaveEveryClassAnImage() throws {
    let examples = try Self.examples([0, 0, 0, 1])
    #expect(try examples.holdingOut(2, of: "test").train.labels == [0, 1])
    let error = #expect(throws: WorkbenchError.self) { try examples.holdingOut(3, of: "test") }
    #expect(error?.description.contains("it must be at most 2") == true)
  }

  @Test func areTheLastOfARegression() throws {
    let all = try Examples(
      images: Tensor((0..<20).map(Float.init), [20, 1, 1, 1]), values: (0..<40).map(Float.init),
      source: "test")
    let (train, validation) = try all.holdingOut(nil, of: "test")
    #expect(validation?.targets == .values([36, 37, 38, 39]) && train.count == 18)
  }

  /// A folder's own arrays come before a tenth of the training images; the normalisation is the training images'.
  @Test func areReadFromAFolder() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("held-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ values: [Float], _ shape: [Int], _ name: String) throws {
      try NpyFile.write(Tensor(values, shape), to: folder.appendingPathComponent("\(name).npy").path)
    }
    func write(labels: [UInt8], _ name: String) throws {
      let header = Array("{'descr': '|u1', 'fortran_order': False, 'shape': (\(labels.count),), }\n".utf8)
      let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + labels
      try Data(bytes).write(to: folder.appendingPathComponent("\(name)_labels.npy"))
    }
    func split(_ name: String, _ count: Int, from first: Float) throws {
      try write((0..<count).map { first + Float($0) }, [count, 1, 1], "\(name)_images")
      try write(labels: (0..<count).map { UInt8($0 % 2) }, name)
    }
    try split("train", 20, from: 0)
    try split("test", 4, from: 100)
    let item = "npy:\(folder.path)", tenth = try Dataset.load(item)
    #expect(tenth.train.count == 18 && tenth.validation?.labels == [0, 1] && tenth.name == item)
    #expect(tenth.definition == "\(item):validation=2")
    let mean = tenth.train.images.values.reduce(0, +) / 18
    #expect(abs(mean) < 1e-6)
    let none = try Dataset.load("\(item):validation=0")
    #expect(none.train.count == 20 && none.validation == nil && none.name == "\(item):validation=0")
    #expect(try Dataset.load("\(item):validation=6").validation?.labels == [0, 1, 0, 1, 0, 1])
    #expect(try Dataset.load("\(item):validation=tenth").name == item)

    try split("validation", 6, from: 50)
    let own = try Dataset.load(item)
    #expect(own.train.count == 20 && own.validation?.count == 6 && own.train.images == none.train.images)
    #expect(try Dataset.load("\(item):validation=0").validation == nil)
    let error = #expect(throws: WorkbenchError.self) { try Dataset.load("\(item):validation=6") }
    #expect(error?.description.contains("leave out validation=6") == true)
    try write([1, 2, 3], [3, 1, 1], "validation_images")
    #expect(throws: WorkbenchError.self) { try Dataset.load(item) }
    try write([1, 2, 3, 4, 5, 6], [3, 2, 1], "validation_images")
    try write(labels: [1, 0, 1], "validation")
    #expect(throws: WorkbenchError.self) { try Dataset.load(item) }
  }
}
