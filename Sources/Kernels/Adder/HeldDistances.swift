import Compute
import Layers
import Tensors

/// An adder with its decisions held: which differences are beyond ±1.
///
/// AdderNet's gradients (Chen et al., 2020, arXiv:1912.13200, equations 13 and 11) are not the derivatives of its distances.
/// To differentiate them once more, as autograd does, this is the function whose derivatives they are, to the first order
/// about the columns x₀ and weights w₀ where the decisions were made:
///
///     y = y₀ + Σ (x₀ − w₀) · (w − w₀) + clamp(w₀ − x₀, −1, 1) · (x − x₀)
///     dw = Σ (x − w) · g
///     dx = Σ (w − x, or ±1 where w₀ − x₀ is beyond) · g
///
/// Columns are what the window of each output pixel reads: `[pixels, taps · input channels]`, weights HWIO. Plain loops:
/// only studies run them.
struct HeldDistances {
  private let geometry: ConvolutionGeometry
  private let columns: Tensor, weight: Tensor
  private let output: Tensor

  /// The adder that has the output y₀.
  init(_ geometry: ConvolutionGeometry, columns: Tensor, weight: Tensor, output: Tensor) {
    self.geometry = geometry
    self.columns = columns
    self.weight = weight
    self.output = output
  }

  /// y
  func forward(_ columns: Tensor, _ weight: Tensor, threads: Int) -> Tensor {
    var y = output
    withPointers(columns, weight) { x, w in
      withPointers(self.columns, self.weight) { x0, w0 in
       y.withMutablePointer { y in
        forEachRow(threads) { row in
          var sums = [Double](repeating: 0, count: geometry.outputChannels)
          forEachTerm(row) { column, weight, output in
            let distance = w0[weight] - x0[column]
            let change = max(-1, min(1, distance)) * (x[column] - x0[column])
            sums[output] += Double(change - distance * (w[weight] - w0[weight]))
          }
          for (output, sum) in sums.enumerated() { y[row * sums.count + output] += Float(sum) }
        }
       }
      }
    }
    return y
  }

  /// dw
  func weightGradient(_ g: Tensor, _ columns: Tensor, _ weight: Tensor) -> Tensor {
    var sums = [Double](repeating: 0, count: weight.count)
    withPointers(columns, weight, g) { x, w, g in
      for row in 0..<rows {
        forEachTerm(row) { column, weight, output in
          sums[weight] += Double((x[column] - w[weight]) * g[row * geometry.outputChannels + output])
        }
      }
    }
    return Tensor(sums.map(Float.init), weight.shape)
  }

  /// dx, as columns.
  func columnGradient(_ g: Tensor, _ columns: Tensor, _ weight: Tensor, threads: Int) -> Tensor {
    var result = Tensor(repeating: 0, columns.shape)
    withPointers(columns, weight, g) { x, w, g in
      withPointers(self.columns, self.weight) { x0, w0 in
        result.withMutablePointer { dx in
          forEachRow(threads) { row in
            forEachTerm(row) { column, weight, output in
              let held = w0[weight] - x0[column]
              let slope = held > 1 ? 1 : held < -1 ? -1 : w[weight] - x[column]
              dx[column] += slope * g[row * geometry.outputChannels + output]
            }
          }
        }
      }
    }
    return result
  }

  /// Output pixels.
  private var rows: Int { output.count / geometry.outputChannels }

  @inline(__always)
  private func forEachRow(_ threads: Int, _ body: (Int) -> Void) {
    parallel(rows, threads: threads) { range in for row in range { body(row) } }
  }

  /// Visits all terms of an output pixel: the positions in the columns and in the weight, and the output channel.
  @inline(__always)
  private func forEachTerm(_ row: Int, _ body: (_ column: Int, _ weight: Int, _ output: Int) -> Void) {
    let inputs = geometry.inputChannels, outputs = geometry.outputChannels
    for tap in 0..<geometry.taps {
      for group in 0..<geometry.groups {
        for channel in 0..<geometry.channelsPerGroup {
          let column = (row * geometry.taps + tap) * inputs + group * geometry.channelsPerGroup + channel
          let first = (tap * geometry.channelsPerGroup + channel) * outputs
          for output in group * geometry.outputsPerGroup..<(group + 1) * geometry.outputsPerGroup {
            body(column, first + output, output)
          }
        }
      }
    }
  }
}

/// Columns of a regular grid.
extension ConvolutionGeometry {
  /// What the window of each output pixel reads: `[pixels, taps · input channels]`, zeros in the padding.
  func columns(_ x: Tensor) -> Tensor {
    let input = FeatureShape(x)
    var columns = Tensor(repeating: 0, [checkedOutput(input).pixels, taps * inputChannels])
    x.withPointer { x in
      columns.withMutablePointer { columns in
        forEachRead(input) { (columns + $0).update(from: x + $1, count: inputChannels) }
      }
    }
    return columns
  }

  /// The gradient to the input from the gradient to its columns.
  func scattered(_ columns: Tensor, _ input: FeatureShape) -> Tensor {
    var dx = Tensor(repeating: 0, input.extents)
    columns.withPointer { columns in
      dx.withMutablePointer { dx in
        forEachRead(input) { column, pixel in
          for channel in 0..<inputChannels { dx[pixel + channel] += columns[column + channel] }
        }
      }
    }
    return dx
  }

  /// Visits all reads of pixels: where their channels stand in the columns and in the input.
  private func forEachRead(_ input: FeatureShape, _ body: (_ column: Int, _ pixel: Int) -> Void) {
    let output = checkedOutput(input)
    for pixel in 0..<output.pixels {
      let image = pixel / (output.height * output.width)
      let top = pixel / output.width % output.height * stride.height - padding.top
      let left = pixel % output.width * stride.width - padding.left
      for tap in 0..<taps {
        let y = top + tap / kernel.width * dilation.height, x = left + tap % kernel.width * dilation.width
        guard (0..<input.height).contains(y), (0..<input.width).contains(x) else { continue }
        body(
          (pixel * taps + tap) * inputChannels,
          ((image * input.height + y) * input.width + x) * inputChannels)
      }
    }
  }
}
