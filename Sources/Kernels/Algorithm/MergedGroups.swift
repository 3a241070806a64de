import Compute
import Tensors

/// Several narrow groups that share a vector of outputs: their weights form one block-diagonal matrix. The products
/// with zeros cost less than vectors with idle lanes.
struct MergedGroups {
  /// The number of merged groups.
  let groups: Int
  private let geometry: ConvolutionGeometry
  private let factor: Int

  /// - Parameter mayMerge: whether zero weights add nothing. Distances to them would, so adders keep their groups.
  init(_ geometry: ConvolutionGeometry, mayMerge: Bool) {
    self.geometry = geometry
    var factor = 1
    if mayMerge {
      while geometry.groups % (2 * factor) == 0,
        2 * factor * geometry.outputsPerGroup <= InstructionSet.lanes
      { factor *= 2 }
    }
    self.factor = factor
    groups = geometry.groups / factor
  }

  /// Weights HWIO with the input channels of a merged group.
  func expanded(_ weights: Tensor) -> Tensor {
    guard factor > 1 else { return weights }
    let channels = geometry.channelsPerGroup, outputs = geometry.outputChannels
    var result = Tensor(
      repeating: 0, [geometry.kernel.height, geometry.kernel.width, factor * channels, outputs])
    weights.withPointer { source in
      result.withMutablePointer { target in
        forEachRun { (target + $1).update(from: source + $0, count: geometry.outputsPerGroup) }
      }
    }
    return result
  }

  /// The blocks on the diagonal.
  func extracted(_ expanded: Tensor, shape: [Int]) -> Tensor {
    guard factor > 1 else { return expanded.reshaped(shape) }
    var result = Tensor(uninitialized: shape)
    expanded.withPointer { source in
      result.withMutablePointer { target in
        forEachRun { (target + $0).update(from: source + $1, count: geometry.outputsPerGroup) }
      }
    }
    return result
  }

  /// Visits each tap, channel and group, with the positions of its outputs in the plain and in the expanded weights.
  private func forEachRun(_ body: (Int, Int) -> Void) {
    let channels = geometry.channelsPerGroup, outputs = geometry.outputChannels
    for tap in 0..<geometry.taps {
      for channel in 0..<channels {
        for group in 0..<geometry.groups {
          let column = group * geometry.outputsPerGroup
          body(
            (tap * channels + channel) * outputs + column,
            ((tap * factor + group % factor) * channels + channel) * outputs + column)
        }
      }
    }
  }
}
