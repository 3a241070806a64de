import Layers
import Tensors

/// Several 3×3 convolutions in place of one with a larger window.
struct SmallStack: ComposedKernel {
  let name = "small-stack"
  let summary = "3×3 convolutions, a ReLU between them, that together see a 5×5 or 7×7 window"
  let formula = "y = w₂ ∗ relu(w₁ ∗ x), or w₃ ∗ relu(w₂ ∗ relu(w₁ ∗ x)), each w 3×3"
  let paper = "Simonyan and Zisserman, 2014, arXiv:1409.1556"
  let options = [
    KernelOption(
      "reach", .choice(["5", "7"]), initial: "5",
      help: "the window they see: 5 by two for 18 in place of 25 weights, 7 by three for 27 in place of 49")
  ]
  let algorithms = StagesLayer.algorithms

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, extent = whole.kernel
    let same = Padding(
      Pair(whole.dilation.height * (extent.height / 2), whole.dilation.width * (extent.width / 2)))
    guard extent.height % 2 == 1, extent.width % 2 == 1, whole.padding == same else {
      throw WorkbenchError(
        "small-stack keeps the image's size: it needs an odd window and padding \(same), not \(whole.padding)."
      )
    }
    let count = site.options.count("reach") / 2
    let stages = try (0..<count).map { index in
      StagesLayer.Stage(
        "conv\(index + 1)",
        try whole.with(
          inputChannels: index == 0 ? nil : whole.outputChannels, kernel: Pair(3),
          stride: index == 0 ? nil : Pair(1), padding: Padding(whole.dilation)))
    }
    return try StagesLayer(site, stages, rectifies: true)
  }
}
