/// The header of a `.npy` file: a Python dictionary with the keys descr, fortran_order and shape.
struct NpyHeader {
  /// Why a header is refused: the part of a sentence after "cannot be read as a .npy file:".
  struct Invalid: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  let shape: [Int]
  let type: NpyArray.ElementType
  let isBigEndian: Bool

  init(_ text: [UInt8]) throws {
    var parser = NpyHeaderParser(text)
    let entries = try parser.dictionary()
    let keys = ["descr", "fortran_order", "shape"]
    for key in keys where entries[key] == nil { throw Invalid("its header lacks the key '\(key)'") }
    if let extra = entries.keys.sorted().first(where: { !keys.contains($0) }) {
      throw Invalid("its header has the unknown key '\(extra.prefix(40))'")
    }
    guard case .string(let description) = entries["descr"] else {
      throw Invalid("its element type is not a string")
    }
    guard case .boolean(let isFortran) = entries["fortran_order"] else {
      throw Invalid("its fortran_order is neither True nor False")
    }
    guard case .tuple(let shape) = entries["shape"] else {
      throw Invalid("its shape is not a tuple of integers")
    }
    guard shape.count <= 32 else { throw Invalid("it has \(shape.count) axes, more than the limit of 32") }
    guard shape.allSatisfy({ $0 >= 0 }) else { throw Invalid("its shape \(shape) has a negative extent") }
    guard !isFortran || shape.contains(0) || shape.count(where: { $0 > 1 }) <= 1 else {
      throw Invalid("its values are in Fortran order; save numpy.ascontiguousarray(array) instead")
    }
    (type, isBigEndian) = try NpyHeader.elementType(description)
    self.shape = shape
  }

  /// A description such as `<f4`: the byte order, the kind, and the size in bytes.
  private static func elementType(_ text: String) throws -> (NpyArray.ElementType, isBigEndian: Bool) {
    let code = text.dropFirst()
    let kinds =
      "its element type '\(text.prefix(40))' is not supported; convert it with array.astype('float32')"
    guard let order = text.first, "<>|=".contains(order) else { throw Invalid(kinds) }
    guard let type = NpyArray.ElementType(rawValue: String(code)) else {
      if code.hasPrefix("O") { throw Invalid("it holds Python objects; save a plain numeric array") }
      throw Invalid(kinds)
    }
    guard order != "|" || type.size == 1 else { throw Invalid(kinds) }
    return (type, order == ">")
  }
}

/// A parser of the few Python literals that a `.npy` header consists of; it neither recurses nor backtracks.
struct NpyHeaderParser {
  enum Value: Equatable {
    case string(String)
    case boolean(Bool)
    case tuple([Int])
  }

  private enum Token: Equatable {
    case symbol(Character)
    case string(String)
    case word(String)
    case integer(Int)
    case end
  }

  private let text: [UInt8]
  private var position = 0

  init(_ text: [UInt8]) { self.text = text }

  /// The whole text as one dictionary.
  mutating func dictionary() throws -> [String: Value] {
    guard try next() == .symbol("{") else { throw NpyHeader.Invalid("its header is not a Python dictionary") }
    var entries: [String: Value] = [:]
    var token = try next()
    while token != .symbol("}") {
      guard case .string(let key) = token, try next() == .symbol(":") else { throw malformed }
      guard entries[key] == nil else {
        throw NpyHeader.Invalid("its header has the key '\(key.prefix(40))' twice")
      }
      entries[key] = try value(of: key)
      token = try next()
      guard token == .symbol("}") || token == .symbol(",") else { throw malformed }
      if token == .symbol(",") { token = try next() }
    }
    guard try next() == .end else { throw NpyHeader.Invalid("its header has more after the dictionary") }
    return entries
  }

  private mutating func value(of key: String) throws -> Value {
    switch try next() {
    case .string(let string): return .string(string)
    case .word("True"): return .boolean(true)
    case .word("False"): return .boolean(false)
    case .symbol("("): return .tuple(try extents())
    default:
      throw NpyHeader.Invalid(
        "its '\(key.prefix(40))' is not a plain string, truth value or tuple; save a plain numeric array")
    }
  }

  /// The integers up to the closing parenthesis, separated by commas; one more may follow the last.
  private mutating func extents() throws -> [Int] {
    var extents: [Int] = []
    while true {
      var token = try next()
      if token == .symbol(")") { return extents }
      guard case .integer(let extent) = token else {
        throw NpyHeader.Invalid("its header has a tuple of something other than integers")
      }
      extents.append(extent)
      token = try next()
      if token == .symbol(")") { return extents }
      guard token == .symbol(",") else { throw malformed }
    }
  }

  private mutating func next() throws -> Token {
    while let byte = peek, byte == 0x20 || (0x09...0x0d).contains(byte) { position += 1 }
    guard let byte = peek else { return .end }
    guard (0x21...0x7e).contains(byte) else {
      throw NpyHeader.Invalid("its header holds the byte \(byte), which is not printable ASCII")
    }
    let character = Character(UnicodeScalar(byte))
    if "{}()[],:".contains(character) {
      position += 1
      return .symbol(character)
    }
    if "'\"".contains(character) {
      position += 1
      let string = take { $0 != byte && $0 != 0x5c && (0x20...0x7e).contains($0) }
      guard peek == byte else {
        throw NpyHeader.Invalid("its header has a string that is not plain ASCII or does not end")
      }
      position += 1
      return .string(string)
    }
    if character.isNumber || character == "-" {
      position += 1
      let digits = "\(character)" + take { (0x30...0x39).contains($0) }
      guard let integer = Int(digits) else {
        throw NpyHeader.Invalid("its header has a number that is not a 64-bit integer")
      }
      if peek == 0x4c { position += 1 }  // Python 2 wrote long integers as 3L.
      return .integer(integer)
    }
    let word = take { Character(UnicodeScalar($0)).isLetter && $0 < 0x80 }
    guard !word.isEmpty else { throw malformed }
    return .word(word)
  }

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func take(while condition: (UInt8) -> Bool) -> String {
    let rest = text[position...].prefix(while: condition)
    position += rest.count
    return String(decoding: rest, as: UTF8.self)
  }

  private var malformed: NpyHeader.Invalid {
    NpyHeader.Invalid("its header is not a well-formed Python dictionary")
  }
}
