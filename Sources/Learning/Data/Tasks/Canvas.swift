import Tensors

/// A square grey picture that a task draws: one level for each pixel, row by row, 0 for black and 255 for white.
///
/// Everything here is whole numbers or the four operations of IEEE 754 in double precision, which round alike on every
/// machine; nothing calls a mathematical library, whose last bits differ. So a picture has the same bits everywhere.
struct Canvas {
  /// Pixels a side.
  let size: Int
  /// The levels; while drawing they may lie outside 0 … 255.
  var levels: [Int32]

  init(size: Int) {
    self.size = size
    levels = Array(repeating: 0, count: size * size)
  }

  subscript(row: Int, column: Int) -> Int32 {
    get { levels[row &* size &+ column] }
    set { levels[row &* size &+ column] = newValue }
  }

  mutating func fill(_ level: Int32) {
    for index in levels.indices { levels[index] = level }
  }

  /// Adds noise that is nearly normal to every pixel: the sum of eight random bytes, less its mean.
  ///
  /// - Parameter deviation: the standard deviation, 1 for the whole range of levels; it holds to 1/1000 of a level, with
  ///   the rounding to whole levels on top.
  mutating func addNoise(_ deviation: Double, using random: inout Random) {
    guard deviation > 0 else { return }
    // A byte's variance is (256² − 1) / 12.
    let scale = Int64(deviation * 255 * 65_536 / (8 * 65_535.0 / 12).squareRoot() + 0.5)
    levels.withUnsafeMutableBufferPointer { levels in
      for index in levels.indices {
        let sum = Int64(random.byteSum()) &- 1020
        levels[index] &+= Int32(truncatingIfNeeded: (sum &* scale &+ 32_768) >> 16)
      }
    }
  }

  /// Draws a shape over what is there.
  ///
  /// - Parameters:
  ///   - x: the centre's column; the middle of the first pixel is 0.
  ///   - y: its row.
  ///   - reach: no point of the shape is further than that from the centre, in either direction.
  ///   - isInside: whether a point, relative to the centre, belongs to the shape; asked at four points of each pixel.
  @inline(__always)
  mutating func draw(
    _ level: Int32, x: Double, y: Double, reach: Double, isInside: (_ x: Double, _ y: Double) -> Bool
  ) {
    let rows = range(y, reach), columns = range(x, reach)
    for row in rows {
      for column in columns {
        let dx = Double(column) - x, dy = Double(row) - y
        var count: Int32 = 0
        if isInside(dx - 0.25, dy - 0.25) { count &+= 1 }
        if isInside(dx + 0.25, dy - 0.25) { count &+= 1 }
        if isInside(dx - 0.25, dy + 0.25) { count &+= 1 }
        if isInside(dx + 0.25, dy + 0.25) { count &+= 1 }
        guard count > 0 else { continue }
        let old = self[row, column]
        self[row, column] = (old &* (4 &- count) &+ level &* count &+ 2) >> 2
      }
    }
  }

  /// The pixels of a row or a column that a shape can touch.
  private func range(_ center: Double, _ reach: Double) -> Range<Int> {
    let first = max(0, Int(center - reach - 1)), last = min(size - 1, Int(center + reach + 1))
    return first..<max(first, last + 1)
  }

  /// Writes the picture as values from 0 to 1, in steps of 1/255.
  func write(to pixels: UnsafeMutablePointer<Float>) {
    for index in levels.indices { pixels[index] = Float(min(max(levels[index], 0), 255)) / 255 }
  }
}

extension Random {
  /// A whole number from 0 ..< `bound`: the upper half of a product. How often each comes up differs by less than
  /// bound / 2⁶⁴.
  mutating func pick(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number drawn uniformly between two.
  mutating func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

  /// The sum of the eight bytes of a draw.
  mutating func byteSum() -> UInt64 {
    let word = next(), mask: UInt64 = 0x00ff_00ff_00ff_00ff
    let pairs = (word & mask) &+ (word >> 8 & mask)
    return (pairs &* 0x0001_0001_0001_0001) >> 48
  }
}

/// A direction in the plane.
struct Direction {
  let cosine: Double
  let sine: Double

  /// A direction by its angle in turns: its cosine and sine by their series, which is exact to some 1e-16, and the same on
  /// every machine.
  init(turns: Double) {
    // The nearest quarter of a turn is exact; at most an eighth remains.
    let quarters = (turns * 4).rounded()
    let x = (turns - quarters / 4) * 2 * Double.pi, square = x * x
    var sine = 0.0, cosine = 0.0
    for n in stride(from: 19.0, through: 3, by: -2) { sine = (1 + sine) * -square / (n * (n - 1)) }
    for n in stride(from: 18.0, through: 2, by: -2) { cosine = (1 + cosine) * -square / (n * (n - 1)) }
    sine = x * (1 + sine)
    cosine = 1 + cosine
    switch Int(quarters) & 3 {
    case 0: (self.cosine, self.sine) = (cosine, sine)
    case 1: (self.cosine, self.sine) = (-sine, cosine)
    case 2: (self.cosine, self.sine) = (-cosine, -sine)
    default: (self.cosine, self.sine) = (sine, -cosine)
    }
  }
}
