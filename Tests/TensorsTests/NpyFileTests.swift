import Foundation
import Testing

@testable import Tensors

@Suite struct NpyFileTests {
  // MARK: Files written by NumPy 2

  /// numpy.save(file, numpy.arange(6, dtype='<f4').reshape(2, 3) / 4 - 0.5)
  private let floats = """
    k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAg
    ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAC/AACAvgAAAAAAAIA+AAAAPwAA
    QD8=
    """
  /// numpy.save(file, numpy.array([[[1, -2], [300, -32768]]], dtype='>i2'))
  private let shorts = """
    k05VTVBZAQB2AHsnZGVzY3InOiAnPmkyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsIDIsIDIpLCB9ICAg
    ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAf/+ASyAAA==
    """

  private func decoded(_ base64: String) throws -> [UInt8] {
    Array(try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters)))
  }

  @Test func readsNumPysFiles() throws {
    let first = try read(decoded(floats))
    #expect(first.type == .f4)
    #expect(try first.tensor() == Tensor([-0.5, -0.25, 0, 0.25, 0.5, 0.75], [2, 3]))
    let second = try read(decoded(shorts))
    #expect(second.shape == [1, 2, 2])
    #expect(try second.integers() == [1, -2, 300, -32768])
    #expect(try second.tensor() == Tensor([1, -2, 300, -32768], [1, 2, 2]))
  }

  @Test func writesWhatNumPyWrites() throws {
    try inFolder { folder in
      let tensor = Tensor([-0.5, -0.25, 0, 0.25, 0.5, 0.75], [2, 3])
      try NpyFile.write(tensor, to: folder + "/a.npy")
      #expect(try Array(Data(contentsOf: URL(fileURLWithPath: folder + "/a.npy"))) == decoded(floats))
    }
  }

  // MARK: Round trips

  @Test(arguments: [[], [0], [1], [7], [2, 3], [2, 0, 3], [1, 2, 3, 4], Array(repeating: 1, count: 32)])
  func whatIsWrittenIsReadAgain(shape: [Int]) throws {
    try inFolder { folder in
      let path = folder + "/a.npy"
      var random = Random(seed: 1)
      let tensor = Tensor(normal: shape, using: &random)
      try NpyFile.write(tensor, to: path)
      #expect(try NpyFile.read(path).tensor() == tensor)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect((bytes.count - tensor.count * 4).isMultiple(of: 64))
      try NpyFile.write(tensor, to: path)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.npy"])
    }
  }

  @Test func keepsEveryBitOfSpecialValues() throws {
    try inFolder { folder in
      let values: [Float] = [.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude]
      try NpyFile.write(Tensor(values, [5]), to: folder + "/a.npy")
      let result = try NpyFile.read(folder + "/a.npy").tensor().values
      #expect(result.map(\.bitPattern) == values.map(\.bitPattern))
    }
  }

  // MARK: Types, versions and spellings

  @Test(
    arguments: [
      ("|b1", [0, 1, 2], [0, 1, 1]), ("|i1", [0xff, 0x80], [-1, -128]), ("|u1", [0xff, 0x80], [255, 128]),
      ("<i2", [0xfe, 0xff], [-2]), (">i2", [0xff, 0xfe], [-2]), ("<u2", [0xfe, 0xff], [65534]),
      ("<i4", [0xfe, 0xff, 0xff, 0xff], [-2]), (">u4", [0xff, 0xff, 0xff, 0xfe], [4_294_967_294]),
      ("<i8", [0, 0, 0, 0, 0, 0, 0, 0x80], [Int.min]), (">i8", [0, 0, 0, 0, 0, 0, 1, 0], [256]),
      (">u8", [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [Int.max]), ("=i2", [1, 0], [1]),
    ] as [(String, [UInt8], [Int])])
  func readsIntegers(type: String, bytes: [UInt8], expected: [Int]) throws {
    let array = try read(file(header(type, "(\(expected.count),)"), bytes))
    #expect(try array.integers() == expected)
    #expect(try array.tensor().values == expected.map(Float.init))
  }

  @Test func readsFloatsInBothByteOrders() throws {
    #expect(try read(file(header(">f4", "()"), [0x3f, 0x80, 0, 0])).tensor() == Tensor([1], []))
    let double: [UInt8] = [0, 0, 0, 0, 0, 0, 0xf8, 0xbf]
    #expect(try read(file(header("<f8", "()"), double)).tensor() == Tensor([-1.5], []))
    #expect(try read(file(header(">f8", "()"), double.reversed())).tensor() == Tensor([-1.5], []))
    let message = try #require(throws: WorkbenchError.self) {
      try read(file(header("<f8", "()"), double)).integers()
    }
    #expect(message.description.contains("must hold integers, not f8"))
  }

  @Test func refusesIntegersThatDoNotFit() throws {
    let array = try read(file(header("<u8", "()"), Array(repeating: 0xff, count: 8)))
    #expect(throws: WorkbenchError.self) { try array.integers() }
    #expect(try array.tensor()[0] == 0x1p64)
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 1L), }",
    "{\"shape\":(2,1,),\"fortran_order\":False,\"descr\":\"<f4\"}",
    " { 'fortran_order' : False ,\n'descr':'<f4','shape' : ( 2 , 1 ) , } \n",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }",
  ])
  func readsOtherSpellings(header: String) throws {
    for version in 1...3 {
      let array = try read(file(header, version: UInt8(version), Array(repeating: 0, count: 8)))
      #expect(try array.tensor() == Tensor(repeating: 0, [2, 1]))
    }
  }

  // MARK: Hostile files

  @Test(arguments: [
    // What is wrong with the header, and what the sentence says about it.
    (header("<f2", "(2,)"), "'<f2' is not supported"), (header("<c8", "(1,)"), "'<c8' is not supported"),
    (header("|O", "(1,)"), "Python objects"), (header("|S8", "(1,)"), "'|S8' is not supported"),
    (header("|f4", "(2,)"), "'|f4' is not supported"), (header("f4", "(2,)"), "'f4' is not supported"),
    (header("", "(2,)"), "'' is not supported"), (header("<", "(2,)"), "'<' is not supported"),
    ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", "'descr' is not a plain string"),
    ("{'descr': True, 'fortran_order': False, 'shape': (2,)}", "element type is not a string"),
    ("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}", "Fortran order"),
    ("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "'fortran_order' is not"),
    ("{'descr': '<f4', 'fortran_order': 'no', 'shape': (2,)}", "neither True nor False"),
    ("{'descr': '<f4', 'fortran_order': None, 'shape': (2,)}", "'fortran_order' is not"),
    ("{'fortran_order': False, 'shape': (2,)}", "lacks the key 'descr'"),
    ("{'descr': '<f4', 'shape': (2,)}", "lacks the key 'fortran_order'"),
    ("{'descr': '<f4', 'fortran_order': False}", "lacks the key 'shape'"), ("{}", "lacks the key"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': True}", "unknown key 'x'"),
    ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "'descr' twice"),
    (header("<f4", "(-2,)"), "negative extent"), (header("<f4", "2"), "'shape' is not"),
    (header("<f4", "[2]"), "'shape' is not"), (header("<f4", "True"), "not a tuple of integers"),
    (header("<f4", "((2,),)"), "something other than integers"), (header("<f4", "(2.0,)"), "well-formed"),
    (header("<f4", "(2 2)"), "well-formed"), (header("<f4", "(,)"), "something other than integers"),
    (header("<f4", "(--2,)"), "not a 64-bit integer"), (header("<f4", "(2, True)"), "other than integers"),
    (header("<f4", "(99999999999999999999,)"), "not a 64-bit integer"),
    (header("<f4", "(9223372036854775807,)"), "memory"),
    (header("<f4", "(4294967296, 4294967296)"), "memory"),
    (header("<f4", "(0, 9223372036854775807, 2)"), "memory"), (header("<f4", "(1099511627776,)"), "memory"),
    (header("<f8", "(1,)") + "x", "has more after"), (header("<f4", "(2,)") + "}", "has more after"),
    (header("<f4", "(" + String(repeating: "1,", count: 33) + ")"), "33 axes"),
    (String(repeating: "(", count: 60_000), "not a Python dictionary"),
    ("{'shape': " + String(repeating: "(", count: 60_000), "other than integers"),
    ("", "not a Python dictionary"), ("   \n", "not a Python dictionary"), ("{", "well-formed"),
    ("{'descr", "does not end"), ("{'descr': '<f4\\'', }", "does not end"),
    ("{'descr' '<f4'}", "well-formed"),
    ("{'descr': '<f4' 'shape': (2,)}", "well-formed"), ("{1: 2}", "well-formed"), ("{,}", "well-formed"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)\0}", "printable ASCII"),
    ("{'désc': '<f4', 'fortran_order': False, 'shape': (2,)}", "plain ASCII"), ("é", "printable ASCII"),
  ])
  func refusesHeaders(header: String, reason: String) throws {
    for version in 1...3 {
      try expectRefusal(file(header, version: UInt8(version), Array(repeating: 0, count: 8)), reason)
    }
  }

  @Test func refusesWrongSizes() throws {
    let text = header("<f4", "(2, 3)")
    try expectRefusal(file(text, Array(repeating: 0, count: 23)), "holds 23 bytes")
    try expectRefusal(file(text, Array(repeating: 0, count: 25)), "holds 25 bytes")
    try expectRefusal(file(text, []), "needs 24")
    try expectRefusal(file(header("<f4", "(0,)"), [0]), "holds 1 bytes")
    try expectRefusal(file(header("<f4", "()"), []), "needs 4")
    try expectRefusal(file(header("|u1", "(100000000,)"), [1]), "needs 100000000")
  }

  @Test func refusesEveryTruncation() throws {
    let whole = try decoded(floats)
    for length in whole.indices { try expectRefusal(Array(whole[..<length]), "") }
  }

  /// Whatever one byte becomes, the answer is an array or a sentence, never the end of the program.
  @Test func survivesEveryChangedByte() throws {
    let whole = try decoded(floats)
    try inFolder { folder in
      for position in 0..<70 {
        for byte in stride(from: 0, to: 256, by: 7).map({ UInt8($0) }) {
          var changed = whole
          changed[position] = byte
          try Data(changed).write(to: URL(fileURLWithPath: folder + "/a.npy"))
          do {
            _ = try NpyFile.read(folder + "/a.npy").tensor()
          } catch {
            #expect(error is WorkbenchError)
          }
        }
      }
    }
  }

  @Test func refusesFalseHeaderLengthsAndVersions() throws {
    let text = Array(header("<f4", "()").utf8)
    let magic = [0x93] + Array("NUMPY".utf8)
    try expectRefusal(magic + [2, 0, 0xff, 0xff, 0xff, 0xff] + text, "needs 4294967295 bytes")
    try expectRefusal(magic + [1, 0, 0xff, 0xff] + text, "needs 65535 bytes")
    try expectRefusal(magic + [1, 0, 10, 0] + text, "")
    try expectRefusal(magic + [4, 0, UInt8(text.count), 0] + text, "version 4.0")
    try expectRefusal(magic + [1, 1, UInt8(text.count), 0] + text, "version 1.1")
    try expectRefusal(magic + [0, 0, UInt8(text.count), 0] + text, "version 0.0")
    let long = Array(repeating: UInt8(0x20), count: 70_000)
    try expectRefusal(magic + [2, 0, 0x70, 0x11, 1, 0] + long, "more than the limit of 65535")
    try expectRefusal(Array("PK\u{3}\u{4} an archive".utf8), "not a .npy file")
  }

  @Test func refusesWhatIsNoFile() throws {
    try inFolder { folder in
      for (path, reason) in [
        (folder, "is a folder"), (folder + "/none.npy", "No such file"), ("/dev/zero", "not a regular file"),
        (folder + "/a/b.npy", "No such file"), ("", "without a name"),
      ] {
        let error = #expect(throws: WorkbenchError.self) { try NpyFile.read(path) }
        #expect(error?.description.contains(reason) == true)
        #expect(path.isEmpty || error?.description.contains(path) == true)
      }
      let path = folder + "/a.npy"
      try NpyFile.write(Tensor(repeating: 1, [4]), to: path)
      let error = #expect(throws: WorkbenchError.self) { try NpyFile.read(path, limit: 100) }
      #expect(error?.description.contains("limit of 100") == true)
      if geteuid() != 0 {
        chmod(path, 0)
        let error = #expect(throws: WorkbenchError.self) { try NpyFile.read(path) }
        #expect(error?.description.contains("Permission denied") == true)
      }
    }
  }

  // MARK: Helpers

  private func read(_ bytes: [UInt8]) throws -> NpyArray {
    try inFolder { folder in
      try Data(bytes).write(to: URL(fileURLWithPath: folder + "/a.npy"))
      return try NpyFile.read(folder + "/a.npy")
    }
  }

  private func expectRefusal(_ bytes: [UInt8], _ reason: String) throws {
    let error = #expect(throws: WorkbenchError.self) { try read(bytes) }
    let sentence = try #require(error).description
    #expect(sentence.contains("/a.npy") && sentence.hasSuffix(".") && !sentence.contains("\n"))
    #expect(sentence.contains(reason) || reason.isEmpty, "\(sentence)")
  }
}

@Suite struct AtomicFileTests {
  private let data = Data("new".utf8)

  @Test func replacesAFileAndKeepsItsPermissions() throws {
    try inFolder { folder in
      let path = folder + "/a"
      try Data("old".utf8).write(to: URL(fileURLWithPath: path))
      chmod(path, 0o640)
      try AtomicFile.write(data, to: path)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == data)
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      #expect(attributes[.posixPermissions] as? Int == 0o640)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
    }
  }

  @Test func writesThroughALink() throws {
    try inFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/b", withIntermediateDirectories: false)
      try Data("old".utf8).write(to: URL(fileURLWithPath: folder + "/b/target"))
      try FileManager.default.createSymbolicLink(atPath: folder + "/a", withDestinationPath: "b/target")
      try AtomicFile.write(data, to: folder + "/a")
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/b/target")) == data)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/a") == "b/target")
    }
  }

  /// A link to a file that is not there yet, by way of another link, makes that file; one that leads to itself says so.
  @Test func writesThroughADanglingLink() throws {
    try inFolder { folder in
      let files = FileManager.default
      try files.createDirectory(atPath: folder + "/b", withIntermediateDirectories: false)
      try files.createSymbolicLink(atPath: folder + "/a", withDestinationPath: "b/link")
      try files.createSymbolicLink(atPath: folder + "/b/link", withDestinationPath: "../target")
      #expect(try AtomicFile.target(of: folder + "/a") == folder + "/b/../target")
      try AtomicFile.checkFolder(of: folder + "/a")
      try AtomicFile.write(data, to: folder + "/a")
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/target")) == data)
      #expect(try files.destinationOfSymbolicLink(atPath: folder + "/a") == "b/link")
      #expect(try files.contentsOfDirectory(atPath: folder).sorted() == ["a", "b", "target"])
      try files.createSymbolicLink(atPath: folder + "/x", withDestinationPath: "y")
      try files.createSymbolicLink(atPath: folder + "/y", withDestinationPath: "x")
      for body in [
        { try AtomicFile.write(data, to: folder + "/x") }, { try AtomicFile.checkFolder(of: folder + "/x") },
      ] {
        let error = #expect(throws: WorkbenchError.self, performing: body)
        #expect(error?.description.contains("symbolic links form a cycle") == true)
      }
      #expect(try files.destinationOfSymbolicLink(atPath: folder + "/x") == "y")
    }
  }

  /// Before long work, what cannot be written is refused for its own reason.
  @Test func foldersAreChecked() throws {
    try inFolder { folder in
      try AtomicFile.checkFolder(of: folder + "/a")
      try AtomicFile.checkFolder(of: "/dev/null")
      var wrong = [
        (folder, "is not a file"), ("", "is not a file"), (folder + "/none/a", "does not exist"),
      ]
      try FileManager.default.createDirectory(atPath: folder + "/ro", withIntermediateDirectories: false)
      chmod(folder + "/ro", 0o555)
      // Root may write everywhere.
      if geteuid() != 0 { wrong.append((folder + "/ro/a", "you may not write to the folder")) }
      for (path, reason) in wrong {
        let error = #expect(throws: WorkbenchError.self) { try AtomicFile.checkFolder(of: path) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
      }
    }
  }

  @Test func leavesNothingBehindOnFailure() throws {
    try inFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/b", withIntermediateDirectories: false)
      for (path, reason) in [
        (folder + "/none/a", "create it first"), (folder + "/b", "is a folder"), ("", "without a name"),
        (folder + "/c/", "cannot be written"),
        (folder + "/" + String(repeating: "x", count: 300), "too long"),
      ] {
        let error = #expect(throws: WorkbenchError.self) { try AtomicFile.write(data, to: path) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["b"])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/b") == [])
    }
  }

  /// All files are written or none, whichever of them cannot be.
  @Test func writesFilesTogether() throws {
    try inFolder { folder in
      let names = ["a", "b", "c"].map { folder + "/\($0)" }
      try Data("old".utf8).write(to: URL(fileURLWithPath: names[0]))
      for wrong in [folder, folder + "/no/b"] {
        for place in 0...2 {
          var paths = names
          paths[place] = wrong
          #expect(throws: WorkbenchError.self) { try AtomicFile.write(paths.map { ($0, Data("new".utf8)) }) }
          #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a"])
          #expect(try String(contentsOfFile: names[0], encoding: .utf8) == "old")
        }
      }
      try AtomicFile.write(names.map { ($0, Data("new".utf8)) })
      for name in names { #expect(try String(contentsOfFile: name, encoding: .utf8) == "new") }
    }
  }

  @Test func knowsPathsToTheSameFile() throws {
    try inFolder { folder in
      let files = FileManager.default
      try files.createDirectory(atPath: folder + "/sub", withIntermediateDirectories: true)
      try files.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "sub/new")
      try files.createSymbolicLink(atPath: folder + "/other", withDestinationPath: "sub")
      for other in ["sub/new", "sub/../sub/new", "other/new", "./link", "other/../link"] {
        #expect(AtomicFile.areSame(folder + "/link", folder + "/" + other), "\(other)")
      }
      for other in ["new", "sub/link", "sub/new2", "nowhere/new"] {
        #expect(!AtomicFile.areSame(folder + "/link", folder + "/" + other), "\(other)")
      }
      #expect(!AtomicFile.areSame("/dev/null", "/dev/null"))
    }
  }

  @Test func writesToDevices() throws {
    try AtomicFile.write(data, to: "/dev/null")
    var information = stat()
    #expect(stat("/dev/null", &information) == 0)
    #expect(information.st_mode & S_IFMT == S_IFCHR)
    #if os(Linux)
      let error = #expect(throws: WorkbenchError.self) { try AtomicFile.write(data, to: "/dev/full") }
      #expect(error?.description == "/dev/full cannot be written: No space left on device.")
    #endif
  }
}

/// A header with the given type and shape, as NumPy spells it.
private func header(_ type: String, _ shape: String) -> String {
  "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
}

/// The bytes of a file with this header.
private func file(_ header: String, version: UInt8 = 1, _ values: [UInt8]) -> [UInt8] {
  let length = UInt32(header.utf8.count)
  let lengthBytes = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + lengthBytes + Array(header.utf8) + values
}

/// Calls `body` with a fresh folder that is removed afterwards.
private func inFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}
