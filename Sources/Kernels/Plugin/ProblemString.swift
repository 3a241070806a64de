import Tensors

extension ConvolutionGeometry {
  /// The problem in oneDNN benchdnn's notation, for example `mb1_ic64ih56oc64oh56kh3ph1n"res2"`.
  ///
  /// Totals over the groups, dilation counted from 0, the width left out where it equals the height.
  public func problem(_ input: FeatureShape, name: String? = nil) -> String {
    let output = try? outputShape(for: input)
    var text = (groups > 1 ? "g\(groups)" : "") + "mb\(input.batch)_ic\(inputChannels)"
    func add(_ letter: String, _ height: Int, _ width: Int, _ initial: Int?) {
      if height != initial || width != initial { text += "\(letter)h\(height)" }
      if height != width { text += "\(letter)w\(width)" }
    }
    add("i", input.height, input.width, nil)
    text += "oc\(outputChannels)"
    add("o", output?.height ?? 0, output?.width ?? 0, nil)
    add("k", kernel.height, kernel.width, nil)
    add("s", stride.height, stride.width, 1)
    add("p", padding.top, padding.left, 0)
    add("d", dilation.height - 1, dilation.width - 1, 0)
    return text + (name.map { "n\"\($0)\"" } ?? "")
  }
}
