import Foundation
import Tensors
import Testing

@testable import Learning

/// Images in folders: layouts, splits, and what is refused.
@Suite struct ImageFolderTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "images-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func write(_ bytes: [UInt8], _ path: String) throws {
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  private func grey(_ values: [UInt8]) -> [UInt8] { Array("P5 2 2 255\n".utf8) + values }

  @Test func aFolderForEachClassIsSplitByNames() throws {
    try inFolder { folder in
      for (label, name) in ["cat", "dog"].enumerated() {
        for index in 0..<20 {
          let file = String(format: "%02d.pgm", index)
          try write(grey([UInt8(index), UInt8(100 * label), 0, 255]), "\(folder)/\(name)/\(file)")
        }
        try write([1], "\(folder)/\(name)/notes.txt")
      }
      let data = try Dataset.load("images:\(folder)")
      #expect(data.classes == 2 && data.train.count == 32 && data.test.count == 4)
      #expect(data.test.labels == [0, 0, 1, 1] && data.train.images.shape == [32, 2, 2, 1])
      #expect(data.validation?.count == 4 && data.definition == "images:\(folder):validation=4")
      // Another number is taken from all that are not for testing.
      let six = try Dataset.load("images:\(folder):validation=6")
      #expect(six.train.count == 30 && six.validation?.labels == [0, 0, 0, 1, 1, 1] && six.test.count == 4)
      let none = try Dataset.load("images:\(folder):validation=0")
      #expect(none.train.count == 36 && none.validation == nil)
    }
  }

  @Test func splitsMayHaveFolders() throws {
    try inFolder { folder in
      for split in ["train", "test"] {
        try write(grey([1, 2, 3, 4]), "\(folder)/\(split)/b/1.pgm")
        try write(
          Array(PNGFile.encode(width: 2, height: 2, grey: [5, 6, 7, 8])), "\(folder)/\(split)/a/1.png")
      }
      let data = try Dataset.load("images:\(folder)")
      #expect(data.train.labels == [0, 1] && data.test.labels == [0, 1])
      // (x − mean) of levels 5 6 7 8 and 1 2 3 4, whose mean is 4.5 and deviation √5.25.
      let values = data.train.images.values.map { $0 * Float(5.25.squareRoot()) + 4.5 }
      #expect(zip(values, [5, 6, 7, 8, 1, 2, 3, 4] as [Float]).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  /// A folder of validation images is the validation split; 0 leaves it alone, any other number contradicts it.
  @Test func validationMayHaveAFolder() throws {
    try inFolder { folder in
      for (split, count) in [("train", 4), ("validation", 3), ("test", 2)] {
        for name in ["a", "b"] {
          for index in 0..<count {
            try write(grey([UInt8(index), 2, 3, 4]), "\(folder)/\(split)/\(name)/\(index).pgm")
          }
        }
      }
      let own = try Dataset.load("images:\(folder)")
      #expect(own.train.count == 8 && own.validation?.labels == [0, 0, 0, 1, 1, 1] && own.test.count == 4)
      let none = try Dataset.load("images:\(folder):validation=0")
      #expect(none.train.images == own.train.images && none.validation == nil)
      #expect(try Dataset.load("images:\(folder):validation=tenth").validation?.count == 6)
      let error = #expect(throws: WorkbenchError.self) { try Dataset.load("images:\(folder):validation=2") }
      #expect(error?.description.contains("leave out validation=2") == true)
    }
  }

  @Test func refusesWhatIsNotAlike() throws {
    func refusal(_ files: [(name: String, bytes: [UInt8])]) throws -> String {
      var result = ""
      try inFolder { folder in
        for split in ["train", "test"] {
          for file in files { try write(file.bytes, "\(folder)/\(split)/\(file.name)") }
        }
        do { _ = try Dataset.load("images:\(folder)") } catch { result = "\(error)" }
      }
      return result
    }
    let good = grey([1, 2, 3, 4])
    #expect(
      try refusal([("a/1.pgm", good), ("a/2.pgm", Array("P5 1 1 255\n".utf8) + [0])]).contains(
        "must have the same form"))
    #expect(
      try refusal([
        ("a/1.pgm", good), ("a/2.ppm", Array("P6 2 2 255\n".utf8) + Array(repeating: 0, count: 12)),
      ])
      .contains("coloured"))
    #expect(try refusal([("a/1.png", good)]).contains("cannot be read as a PNG"))
    #expect(try refusal([("a/1.pgm", Array("P5 2 2 255\n".utf8) + [0])]).contains("need 4"))
    #expect(try refusal([("a/1.pgm", Array("P5 70000 70000 255\n".utf8))]).contains("there must be 1 to"))
    #expect(
      try refusal([("a/1.pgm", Array("P5 2 2 65535\n".utf8) + Array(repeating: 0, count: 8))]).contains(
        "up to 255"))
    #expect(try refusal([("a/notes.txt", good)]).contains("no images"))
    #expect(try refusal([("1.pgm", good)]).contains("no folders"))
    // A grey pixel with alpha.
    let alpha = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR4nGNoEAAAARMAkdO1pqwAAAAASUVORK5CYII="
    let text = try refusal([("a/1.png", Array(Data(base64Encoded: alpha) ?? Data()))])
    #expect(text.contains("alpha channel"), "\(text)")
  }
}
