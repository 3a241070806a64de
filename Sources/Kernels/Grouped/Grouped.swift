import Layers
import Tensors

/// A convolution in groups of channels that are convolved apart.
struct Grouped: GroupedKernel {
  let name = "grouped"
  let family = KernelFamily.grid
  let summary = "k×k convolution in groups of channels that are convolved apart"
  let formula = "y[p, o] = Σ over t, c in o's group of x[p·s + t, c] · w[t, c, o]"
  let paper = "Xie et al., 2016, arXiv:1611.05431"
  let options: [any AnyKernelOption] = [groups, KernelOptions.window, KernelOptions.dilation]

  static let groups = KernelOption(
    "groups", .count, initial: 32,
    help: "at most so many: the largest number up to it that divides both numbers of channels")

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.dilated(by: options[KernelOptions.dilation]).windowed(by: options)
      .with(groups: place.commonDivisor(atMost: options[Self.groups]))
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site)
  }
}

/// A convolution of each channel by itself.
struct DepthwiseKernel: GroupedKernel {
  let name = "depthwise"
  let family = KernelFamily.grid
  let summary =
    "k×k convolution of each channel by itself; where channels change, in as many groups as divide both"
  let formula = "y[p, c] = Σ over t of x[p·s + t, c] · w[t, c]"
  let paper =
    "Sifre, 2014; Chollet, 2016, arXiv:1610.02357; large windows: Ding et al., 2022, arXiv:2203.06717"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.dilated(by: options[KernelOptions.dilation]).windowed(by: options)
      .with(groups: place.commonDivisor(atMost: .max))
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site)
  }

  func site(for request: OperatorRequest) throws -> KernelSite {
    guard request.operands.weight.map({ $0.shape[2] == 1 }) ?? true else {
      throw WorkbenchError(
        "A weight of depthwise has one input channel for each output, [C, 1, kh, kw]; use grouped for others."
      )
    }
    return try groupedSite(for: request)
  }
}

/// Kernels whose groups, where they are applied to arrays and none are asked for, follow from the weight.
protocol GroupedKernel: Kernel {}

extension GroupedKernel {
  func site(for request: OperatorRequest) throws -> KernelSite { try groupedSite(for: request) }

  /// As many groups as the weight's shape says.
  func groupedSite(for request: OperatorRequest) throws -> KernelSite {
    var request = request
    let derived: [any AnyKernelOption] = [Grouped.groups, KernelOptions.window]
    for option in derived where request.options.isGiven(option) {
      throw WorkbenchError(
        "A weight says its \(option.name) itself; leave out the option \(option.name) of \(name).")
    }
    if request.groups == 1, let inGroup = request.operands.weight?.shape[2],
      request.inputChannels % inGroup == 0
    {
      request.groups = request.inputChannels / inGroup
    }
    return try Standard().site(for: request)
  }
}

extension ConvolutionGeometry {
  /// The largest number up to a limit that divides both numbers of channels.
  func commonDivisor(atMost limit: Int) -> Int {
    let candidates = 1...min(limit, inputChannels, outputChannels)
    return candidates.last { inputChannels % $0 == 0 && outputChannels % $0 == 0 } ?? 1
  }
}
