import Tensors

/// A convolution on an input, in the notation of oneDNN's benchdnn: `mb1_ic64ih56oc64oh56kh3ph1n"res2"`.
///
/// Underscores are optional. The defaults are mb 2, g 1, stride 1, padding 0 and dh 0 (dilation counts from 0). Width
/// follows height; channels are totals over the groups. Where `oh` is larger than the symmetric padding gives, the
/// missing rows are padding at the far side. A problem of one dimension, which has widths but no heights, is one of
/// two dimensions whose height is 1.
package struct ConvolutionProblem: Sendable {
  /// The string, the key of its row in tables.
  package let text: String
  /// The convolution.
  package let geometry: ConvolutionGeometry
  /// Its input.
  package let input: FeatureShape

  /// A problem of a known geometry.
  package init(_ geometry: ConvolutionGeometry, _ input: FeatureShape, name: String? = nil) {
    self.geometry = geometry
    self.input = input
    text = geometry.problem(input, name: name)
  }

  /// A valid problem of a kind that is not supported here.
  package struct Unsupported: Error, CustomStringConvertible {
    /// Why.
    package let description: String

    /// For a reason.
    package init(description: String) { self.description = description }
  }

  /// Parses a problem string; throws `Unsupported` for 3-d problems. `batch` is the number of images, instead of the
  /// string's.
  package init(parsing text: String, batch: Int? = nil) throws {
    let (scanned, name) = try Self.scan(text)
    var sizes = scanned
    func fail(_ reason: String) -> WorkbenchError { WorkbenchError("The problem ‘\(text)’ \(reason).") }
    if let depth = ["id", "od", "kd", "sd", "pd", "dd"].first(where: { sizes[$0] != nil }) {
      throw Unsupported(
        description: "\(depth) makes it 3-d; only problems of one and two dimensions are supported.")
    }
    let heights = ["ih", "oh", "kh", "sh", "ph", "dh"]
    if sizes["iw"] != nil, heights.allSatisfy({ sizes[$0] == nil }) {
      guard sizes["kw"] != nil else { throw fail("says no kw") }
      let row = ["ih": 1, "oh": 1, "kh": 1, "sh": 1, "ph": 0, "dh": 0]
      // A width that is left out does not follow these heights.
      sizes = row.merging(["sw": 1, "pw": 0, "dw": 0]) { $1 }.merging(sizes) { $1 }
    }
    func required(_ key: String) throws -> Int {
      guard let value = sizes[key] else { throw fail("says no \(key)") }
      return value
    }
    func pair(_ letter: String, _ initial: Int?) throws -> Pair {
      let height = try sizes[letter + "h"] ?? initial ?? required(letter + "h")
      return Pair(height, sizes[letter + "w"] ?? height)
    }
    let image = try pair("i", nil), kernel = try pair("k", nil), stride = try pair("s", 1)
    let padding = try pair("p", 0), gap = try pair("d", 0)
    let dilation = Pair(gap.height + 1, gap.width + 1)
    // Checks the sizes themselves.
    let plain = try ConvolutionGeometry(
      inputChannels: required("ic"), outputChannels: required("oc"), kernel: kernel, stride: stride,
      padding: Padding(padding), dilation: dilation, groups: sizes["g"] ?? 1)
    func far(
      _ axis: String, _ wanted: Int?, _ size: Int, _ near: Int, _ kernel: Int, _ stride: Int, _ gap: Int
    )
      throws -> Int
    {
      let reach = gap * (kernel - 1) + 1
      let covered = size + near - reach
      guard let wanted, covered + near < 0 || (covered + near) / stride + 1 != wanted else { return near }
      guard wanted >= 1 else { throw fail("has \(axis) \(wanted); it must be at least 1") }
      let missing = (wanted - 1) * stride - covered
      guard missing >= 0 || covered / stride + 1 == wanted else {
        throw fail("has \(axis) \(wanted), but its input gives at least \(covered / stride + 1)")
      }
      return max(missing, 0)
    }
    let widthFollows =
      sizes["iw"] == nil && sizes["kw"] == nil && sizes["sw"] == nil && sizes["pw"] == nil
      && sizes["dw"] == nil
    geometry = try plain.with(
      padding: Padding(
        top: padding.height, left: padding.width,
        bottom: far(
          "oh", sizes["oh"], image.height, padding.height, kernel.height, stride.height, dilation.height),
        right: far(
          "ow", sizes["ow"] ?? (widthFollows ? sizes["oh"] : nil), image.width, padding.width, kernel.width,
          stride.width, dilation.width)))
    input = FeatureShape(
      batch: batch ?? sizes["mb"] ?? 2, height: image.height, width: image.width,
      channels: geometry.inputChannels)
    _ = try geometry.outputShape(for: input)
    try Tensor.checkSize(input.extents, "The input")
    self.text = batch == nil ? text : geometry.problem(input, name: name)
  }

  /// The numbers after their letters, and the name.
  private static func scan(_ text: String) throws -> ([String: Int], String?) {
    func fail(_ reason: String) -> WorkbenchError {
      WorkbenchError("The problem ‘\(text)’ \(reason); write it as mb1_ic64ih56oc64oh56kh3ph1n\"name\".")
    }
    let known: Set<String> = [
      "g", "mb", "ic", "oc", "id", "ih", "iw", "od", "oh", "ow", "kd", "kh", "kw", "sd", "sh", "sw", "pd",
      "ph",
      "pw", "dd", "dh", "dw",
    ]
    var sizes: [String: Int] = [:], rest = Substring(text)
    while let first = rest.first {
      if first == "_" {
        rest.removeFirst()
        continue
      }
      if first == "n" {
        return (sizes, String(rest.dropFirst().filter { $0 != "\"" }))
      }
      let letters = rest.prefix { $0.isASCII && $0.isLetter }
      rest.removeFirst(letters.count)
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest.removeFirst(digits.count)
      guard known.contains(String(letters)) else {
        throw fail(
          letters.isEmpty ? "has ‘\(first)’ where a letter is expected" : "has an unknown part ‘\(letters)’")
      }
      guard let value = Int(digits), value <= 1 << 30 else {
        throw fail(
          digits.isEmpty ? "has no number after ‘\(letters)’" : "has too large a number after ‘\(letters)’")
      }
      guard sizes.updateValue(value, forKey: String(letters)) == nil else {
        throw fail("says \(letters) twice")
      }
    }
    guard !sizes.isEmpty else { throw fail("is empty") }
    return (sizes, nil)
  }
}
