import Tensors

/// One term of a convolution's sum, as row-major positions in the arrays; `x` is nil in the padding.
struct ReferenceTerm {
  let y: Int
  let x: Int?
  let w: Int
}

extension ConvolutionGeometry {
  /// Visits every term of every output: output ← input pixel, channel and weight.
  @inline(__always)
  func forEachTerm(_ input: [Int], _ output: [Int], _ body: (ReferenceTerm) -> Void) {
    for image in 0..<output[0] {
      for row in 0..<output[1] {
        for column in 0..<output[2] {
          for tapRow in 0..<kernel.height {
            for tapColumn in 0..<kernel.width {
              let y = row * stride.height - padding.top + tapRow * dilation.height
              let x = column * stride.width - padding.left + tapColumn * dilation.width
              let inside = y >= 0 && y < input[1] && x >= 0 && x < input[2]
              let pixel = ((image * input[1] + y) * input[2] + x) * inputChannels
              let target = ((image * output[1] + row) * output[2] + column) * outputChannels
              let tap = (tapRow * kernel.width + tapColumn) * channelsPerGroup * outputChannels
              for group in 0..<groups {
                for channel in 0..<channelsPerGroup {
                  let x = inside ? pixel + group * channelsPerGroup + channel : nil
                  for out in group * outputsPerGroup..<(group + 1) * outputsPerGroup {
                    body(ReferenceTerm(y: target + out, x: x, w: tap + channel * outputChannels + out))
                  }
                }
              }
            }
          }
        }
      }
    }
  }

  /// The output's shape in the reference, for an input that has been checked.
  func referenceOutput(_ input: [Int]) -> [Int] {
    let height = input[1] + padding.top + padding.bottom - dilation.height * (kernel.height - 1) - 1
    let width = input[2] + padding.left + padding.right - dilation.width * (kernel.width - 1) - 1
    return [input[0], height / stride.height + 1, width / stride.width + 1, outputChannels]
  }

  /// An output that holds the bias, to which the terms are then added.
  func referenceStart(_ input: [Int], _ bias: Tensor64?) -> Tensor64 {
    var y = Tensor64(repeating: 0, referenceOutput(input))
    if let bias { for index in y.values.indices { y.values[index] = bias.values[index % outputChannels] } }
    return y
  }
}

/// The gradient to a bias: the sum over all pixels.
func referenceBiasGradient(_ gradient: Tensor64) -> Tensor64 {
  let channels = gradient.shape[3]
  var sum = Tensor64(repeating: 0, [channels])
  for (index, value) in gradient.values.enumerated() { sum.values[index % channels] += value }
  return sum
}
