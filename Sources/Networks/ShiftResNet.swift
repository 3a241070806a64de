/// Residual networks of shifts (Wu et al., 2017, arXiv:1711.08141), for images of 32×32.
enum ShiftResNet {
  static let family = ModelFamily(
    name: "ShiftResNet", source: "Wu et al., 2017, arXiv:1711.08141",
    models: [20, 56, 110].map { depth in
      Model("shiftresnet\(depth)", extent: 32, classes: 10) {
        var description = ResNets.small(
          "shiftresnet\(depth)", .shift, count: (depth - 2) / 6, inputChannels: $0, classes: $1)
        description.ownKernel = "shift"
        return description
      }
    })
}
