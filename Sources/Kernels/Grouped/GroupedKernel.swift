import Layers
import Tensors

/// Kernels whose number of groups follows from the weight if they are applied to arrays and none is given.
public protocol GroupedKernel: Kernel {}

extension GroupedKernel {
  public func site(for request: OperatorRequest) throws -> KernelSite { try groupedSite(for: request) }

  /// The number of groups that follows from the weight's shape.
  public func groupedSite(for request: OperatorRequest) throws -> KernelSite {
    var request = request
    let derived: [any AnyKernelOption] = [Grouped.groups, KernelOptions.window]
    for option in derived where request.options.isGiven(option) {
      throw WorkbenchError(
        "The weight determines the \(option.name); leave out the option \(option.name) of \(name).")
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
  public func commonDivisor(atMost limit: Int) -> Int {
    let candidates = 1...min(limit, inputChannels, outputChannels)
    return candidates.last { inputChannels % $0 == 0 && outputChannels % $0 == 0 } ?? 1
  }
}

extension Int {
  /// The largest of its divisors that is at most `limit`.
  func largestDivisor(upTo limit: Int) -> Int {
    (1...Swift.min(self, limit)).last { self % $0 == 0 } ?? 1
  }
}
