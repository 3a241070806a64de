import Layers

/// The shift operator: channels move by a pixel, and cost nothing.
struct Shift: Kernel {
  let name = "shift"
  let summary = "each channel moves by one pixel in one of nine directions; a 1×1 follows where channels change"
  let formula = "y[h, w, c] = x[h·s + (⌊c/3⌋ mod 3) − 1, w·s + (c mod 3) − 1, c]; channels from ⌊C/9⌋·9 on stay"
  let paper = "Wu et al., 2017, arXiv:1711.08141"
  let options = [
    KernelOption.dilation(),
    KernelOption(
      "pointwise", .choice(["auto", "always"]), initial: "auto",
      help: "auto: a 1×1 follows where the number of channels changes"),
  ]
  let algorithms = ["direct", "reference"]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ShiftLayer(site, pointwise: site.options.value("pointwise") == "always")
  }
}
