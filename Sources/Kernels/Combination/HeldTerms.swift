import Compute
import Layers
import Tensors

/// A combination's terms with their decisions held: what is clamped, and which term is the largest.
///
/// About the columns x₀ and weights w₀ where they were made, it is the function whose derivatives the combination's
/// gradients are, to the first order; AdderNet's too, which are not those of its distances:
///
///     y = y₀ + Σ over terms, or of the largest, of ∂x(x₀, w₀) · (x − x₀) + ∂w(x₀, w₀) · (w − w₀)
///     dx = Σ ∂x(x, w) · g,  dw = Σ ∂w(x, w) · g
///
/// Columns are what each output pixel reads, `[pixels, taps · input channels]`; weights are HWIO. Plain loops: only studies
/// run them.
struct HeldTerms {
  private let geometry: ConvolutionGeometry
  private let combination: any Combination
  private let columns: Tensor, weight: Tensor, output: Tensor
  /// The largest term of each output, if the combination has one.
  private let largest: [Int]?

  /// The terms of an operator with the output y₀.
  init(
    _ geometry: ConvolutionGeometry, _ combination: any Combination, columns: Tensor, weight: Tensor,
    output: Tensor
  ) {
    self.geometry = geometry
    self.combination = combination
    self.columns = columns
    self.weight = weight
    self.output = output
    largest =
      combination.reduction == .maximum ? Self.largest(geometry, combination, columns, weight) : nil
  }

  /// y, and what `backward` needs.
  func forward(_ columns: Tensor, _ weight: Tensor, threads: Int) -> Tensor {
    var y = output
    let outputs = geometry.outputChannels
    withPointers(columns, weight) { x, w in
      withPointers(self.columns, self.weight) { x0, w0 in
        y.withMutablePointer { y in
          if let largest {
            for (index, term) in largest.enumerated() {
              let (column, weight) = place(index, term)
              let slopes = slopes(x0[column], w0[weight], at: x0[column], w0[weight])
              let toX = slopes.x * Double(x[column] - x0[column])
              y[index] += Float(toX + slopes.w * Double(w[weight] - w0[weight]))
            }
            return
          }
          parallel(pixels, threads: threads) { pixels in
            let slopes = Slopes(geometry.outputsPerGroup)
            for pixel in pixels {
              var sums = [Double](repeating: 0, count: outputs)
              for term in 0..<terms {
                let column = pixel * terms + term, (first, output) = run(term)
                slopes.set(combination, x0[column], w0 + first, at: x0[column], w0 + first)
                let change = Double(x[column] - x0[column])
                for index in 0..<geometry.outputsPerGroup {
                  sums[output + index] +=
                    slopes.x[index] * change
                    + slopes.w[index] * Double(w[first + index] - w0[first + index])
                }
              }
              for index in 0..<outputs { y[pixel * outputs + index] += Float(sums[index]) }
            }
          }
        }
      }
    }
    return y
  }

  /// The gradients to the columns and to the weight from g, that to the output.
  func backward(_ g: Tensor, _ columns: Tensor, _ weight: Tensor, threads: Int) -> (
    columns: Tensor, weight: Tensor
  ) {
    var dx = Tensor(repeating: 0, columns.shape), dw = Tensor(repeating: 0, weight.shape)
    withPointers(columns, weight, g) { x, w, g in
      withPointers(self.columns, self.weight) { x0, w0 in
        dx.withMutablePointer { dx in
          dw.withMutablePointer { dw in
            if let largest {
              for (index, term) in largest.enumerated() {
                let (column, weight) = place(index, term)
                let slopes = slopes(x[column], w[weight], at: x0[column], w0[weight])
                dx[column] += Float(slopes.x) * g[index]
                dw[weight] += Float(slopes.w) * g[index]
              }
              return
            }
            // Each term's weights and columns have one owner.
            parallel(terms, threads: threads) { own in
              let slopes = Slopes(geometry.outputsPerGroup)
              for term in own {
                let (first, output) = run(term)
                var sums = [Double](repeating: 0, count: geometry.outputsPerGroup)
                for pixel in 0..<pixels {
                  let column = pixel * terms + term, g = g + pixel * geometry.outputChannels + output
                  slopes.set(combination, x[column], w + first, at: x0[column], w0 + first)
                  var sum = 0.0
                  for index in 0..<geometry.outputsPerGroup {
                    sum += slopes.x[index] * Double(g[index])
                    sums[index] += slopes.w[index] * Double(g[index])
                  }
                  dx[column] = Float(sum)
                }
                for index in 0..<geometry.outputsPerGroup { dw[first + index] = Float(sums[index]) }
              }
            }
          }
        }
      }
    }
    return (dx, dw)
  }

  /// The terms of an output, tap by tap, channel by channel of all groups.
  private var terms: Int { geometry.taps * geometry.inputChannels }
  private var pixels: Int { output.count / geometry.outputChannels }

  /// The first of the weights that a term meets, and the first of the outputs.
  private func run(_ term: Int) -> (weight: Int, output: Int) { Self.run(geometry, term) }

  private static func run(_ g: ConvolutionGeometry, _ term: Int) -> (weight: Int, output: Int) {
    let (tap, channel) = term.quotientAndRemainder(dividingBy: g.inputChannels)
    let (group, inner) = channel.quotientAndRemainder(dividingBy: g.channelsPerGroup)
    let first = group * g.outputsPerGroup
    return ((tap * g.channelsPerGroup + inner) * g.outputChannels + first, first)
  }

  /// The position of an output's term in the columns and in the weight.
  private func place(_ index: Int, _ term: Int) -> (column: Int, weight: Int) {
    let (pixel, output) = index.quotientAndRemainder(dividingBy: geometry.outputChannels)
    return (pixel * terms + term, run(term).weight + output % geometry.outputsPerGroup)
  }

  private func slopes(_ x: Float, _ w: Float, at x0: Float, _ w0: Float) -> (x: Double, w: Double) {
    combination.derivatives(Double(x), Double(w), decidedAt: Double(x0), Double(w0)) ?? (.nan, .nan)
  }

  /// The first term that attains the maximum, for each output.
  private static func largest(
    _ g: ConvolutionGeometry, _ combination: any Combination, _ columns: Tensor, _ weight: Tensor
  ) -> [Int] {
    let terms = g.taps * g.inputChannels, count = columns.count / terms * g.outputChannels
    var best = [Double](repeating: -.infinity, count: count), first = [Int](repeating: 0, count: count)
    withPointers(columns, weight) { x, w in
      for column in 0..<columns.count {
        let (pixel, term) = column.quotientAndRemainder(dividingBy: terms), run = run(g, term)
        for index in 0..<g.outputsPerGroup {
          let value = combination.term(Double(x[column]), Double(w[run.weight + index]))
          let output = pixel * g.outputChannels + run.output + index
          if value > best[output] { (best[output], first[output]) = (value, term) }
        }
      }
    }
    return first
  }

  /// The derivatives of one x's terms.
  private final class Slopes {
    let x: UnsafeMutablePointer<Double>, w: UnsafeMutablePointer<Double>
    private let count: Int

    init(_ count: Int) {
      self.count = count
      x = .allocate(capacity: count)
      w = .allocate(capacity: count)
    }

    deinit {
      x.deallocate()
      w.deallocate()
    }

    func set(
      _ combination: any Combination, _ value: Float, _ weights: UnsafePointer<Float>, at first: Float,
      _ firstWeights: UnsafePointer<Float>
    ) {
      combination.slopes(
        Double(value), weights, decidedAt: Double(first), firstWeights, x: x, w: w, count: count)
    }
  }
}
