import Tensors

extension ConvolutionGeometry {
  /// The problem in oneDNN benchdnn's notation, for example `mb1_ic64ih56oc64oh56kh3ph1n"res2"`.
  ///
  /// Totals over the groups, dilation counted from 0, the width left out where it equals the height.
  package func problem(_ input: FeatureShape, name: String? = nil) -> String {
    let output = try? outputShape(for: input)
    var text = (groups > 1 ? "g\(groups)" : "") + "mb\(input.batch)_ic\(inputChannels)"
    func add(_ letter: String, _ height: Int, _ width: Int, _ initial: Int?) {
      if height != initial || width != initial { text += "\(letter)h\(height)" }
      if height != width { text += "\(letter)w\(width)" }
    }
    add("i", input.height, input.width, nil)
    text += "oc\(outputChannels)"
    let rows = output?.height ?? 0, columns = output?.width ?? 0
    add("o", rows, columns, nil)
    // If other widths are written, the output's must be too, and padding at the far side needs it.
    let followsHeight =
      input.height == input.width && kernel.height == kernel.width && stride.height == stride.width
      && padding.top == padding.left && dilation.height == dilation.width
    if rows == columns, !followsHeight, padding.right != padding.left { text += "ow\(columns)" }
    add("k", kernel.height, kernel.width, nil)
    add("s", stride.height, stride.width, 1)
    add("p", padding.top, padding.left, 0)
    add("d", dilation.height - 1, dilation.width - 1, 0)
    return text + (name.map { "n\"\($0)\"" } ?? "")
  }
}
