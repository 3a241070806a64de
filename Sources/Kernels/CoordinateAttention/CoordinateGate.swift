import Compute
import Layers
import Tensors

/// y[row, column, c] = x[row, column, c] · a[row, c] · b[column, c], with factors that layers compute from x's means.
///
/// The means of the rows, followed by those of the columns, form an image of height + width rows and one column. A
/// shared layer computes features from it; one layer computes a from the rows' features, another b from the columns'.
final class CoordinateGate: Defined, HoldsDecisions, TorchPrinted {
  private let shared: any Layer, rows: any Layer, columns: any Layer
  private let maps = PixelMaps()
  private var saved = Saved<(x: Tensor, a: Tensor, b: Tensor)>()

  /// `shared` keeps the size, and `rows` and `columns` give as many channels as x has.
  init(shared: any Layer, rows: any Layer, columns: any Layer) {
    self.shared = shared
    self.rows = rows
    self.columns = columns
  }

  var children: [NamedLayer] { [("", shared), ("", rows), ("", columns)] }
  var isExactOnIntegers: Bool { false }

  private func line(_ input: FeatureShape, _ length: Int) -> FeatureShape {
    FeatureShape(batch: input.batch, height: length, width: 1, channels: input.channels)
  }

  private func means(_ input: FeatureShape) -> FeatureShape { line(input, input.height + input.width) }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let features = try shared.outputShape(for: means(input))
    let a = try rows.outputShape(for: line(features, input.height))
    let b = try columns.outputShape(for: line(features, input.width))
    precondition(a == line(input, input.height) && b == line(input, input.width))
    return input
  }

  /// Each value is added to two means, and multiplied twice. Backward: two products to the input; the product with the
  /// gradient, which is added, times the other factor, to each factor; the means' gradients are added to the input's.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let means = means(input), features = try shared.outputShape(for: means), count = input.count
    let read = 4 * (count + means.count)
    let own =
      pass == .backward
      ? Cost(macs: 2 * count, adds: 3 * count, otherOps: 3 * count + means.count, bytes: read + 16 * count)
      : Cost(adds: 2 * count - means.count, otherOps: means.count + 2 * count, bytes: read + 8 * count)
    return try own + shared.cost(for: means, pass: pass)
      + rows.cost(for: line(features, input.height), pass: pass)
      + columns.cost(for: line(features, input.width), pass: pass)
  }

  /// The mean of each row, then of each column.
  private func map(_ input: FeatureShape) -> PixelMap {
    PixelMap(sources: input.height * input.width, targets: input.height + input.width) { term in
      for row in 0..<input.height {
        for column in 0..<input.width { term(row, row * input.width + column, 1 / Float(input.width)) }
      }
      for column in 0..<input.width {
        for row in 0..<input.height {
          term(input.height + column, row * input.width + column, 1 / Float(input.height))
        }
      }
    }
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    let z = shared.forward(maps[shape, map].applied(to: input, means(shape), context), context)
    // In memory the lines of an image follow one another, as channels of one pixel do.
    let channels = z.shape[3], lengths = [shape.height, shape.width]
    let parts = z.reshaped([shape.batch, 1, 1, z.shape[1] * channels])
      .channelSlices(lengths.map { $0 * channels }, threads: context.threads)
    func lines(_ part: Int) -> Tensor { parts[part].reshaped([shape.batch, lengths[part], 1, channels]) }
    let a = rows.forward(lines(0), context), b = columns.forward(lines(1), context)
    saved.keep((input, a, b), context)
    return multiplied(input, a, b, context)
  }

  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (x, a, b) = saved.take(), shape = FeatureShape(x)
    let products = gradient.times(x, threads: context.threads)
    let toRows = rows.backward(factorGradient(products, b, shape, ofRows: true, context), context)
    let toColumns = columns.backward(factorGradient(products, a, shape, ofRows: false, context), context)
    let channels = toRows.shape[3]
    let toShared = Tensor.concatenated(
      [toRows, toColumns].map { $0.reshaped([shape.batch, 1, 1, $0.shape[1] * channels]) },
      threads: context.threads
    ).reshaped([shape.batch, shape.height + shape.width, 1, channels])
    guard input.isNeeded else { return shared.backward(toShared, input: .unneeded, context) }
    let toMeans = shared.backward(toShared, context)
    var dx = maps[shape, map].transposed(toMeans, shape, context)
    dx.add(multiplied(gradient, a, b, context), threads: context.threads)
    return input.total(dx, threads: context.threads)
  }

  private func multiplied(_ x: Tensor, _ a: Tensor, _ b: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(x), channels = shape.channels
    var y = Tensor(uninitialized: x.shape)
    withPointers(x, a, b) { x, a, b in
      y.withMutablePointer { y in
        parallel(shape.batch * shape.height, threads: context.threads) { lines in
          for line in lines {
            let a = a + line * channels, image = line / shape.height
            for column in 0..<shape.width {
              let b = b + (image * shape.width + column) * channels
              let place = (line * shape.width + column) * channels, x = x + place, y = y + place
              for channel in 0..<channels { y[channel] = x[channel] * a[channel] * b[channel] }
            }
          }
        }
      }
    }
    return y
  }

  /// The gradient to the rows' factors, or to the columns': the products of x and the gradient times the others, summed.
  private func factorGradient(
    _ products: Tensor, _ others: Tensor, _ shape: FeatureShape, ofRows: Bool, _ context: Context
  ) -> Tensor {
    let channels = shape.channels, own = ofRows ? shape.height : shape.width
    let length = ofRows ? shape.width : shape.height
    var result = Tensor(repeating: 0, line(shape, own).extents)
    withPointers(products, others) { p, others in
      result.withMutablePointer { result in
        parallel(shape.batch * own, threads: context.threads) { lines in
          for line in lines {
            let (image, place) = line.quotientAndRemainder(dividingBy: own), sum = result + line * channels
            for other in 0..<length {
              let row = ofRows ? place : other, column = ofRows ? other : place
              let p = p + ((image * shape.height + row) * shape.width + column) * channels
              let factor = others + (image * length + other) * channels
              for channel in 0..<channels { sum[channel] += p[channel] * factor[channel] }
            }
          }
        }
      }
    }
    return result
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let own = byChild(parameters), height = input.shape[1], width = input.shape[2]
    let means = Tensor64([input.shape[0], height + width, 1, input.shape[3]]) { image, line, _, channel in
      line < height
        ? (0..<width).reduce(0) { $0 + input[image, line, $1, channel] } / Double(width)
        : (0..<height).reduce(0) { $0 + input[image, $1, line - height, channel] } / Double(height)
    }
    let z = shared.definition(means, own[0], training: training)
    func lines(_ first: Int, _ count: Int) -> Tensor64 {
      Tensor64([z.shape[0], count, 1, z.shape[3]]) { z[$0, first + $1, 0, $3] }
    }
    let a = rows.definition(lines(0, height), own[1], training: training)
    let b = columns.definition(lines(height, width), own[2], training: training)
    return Tensor64(input.shape) { input[$0, $1, $2, $3] * a[$0, $1, 0, $3] * b[$0, $2, 0, $3] }
  }
}

/// Means along one axis each, side by side as one image, as in memory.
extension CoordinateGate: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    func turned(_ x: ONNXGraph.Value) -> ONNXGraph.Value {
      graph.node("Transpose", [x], ["perm": .ints([0, 1, 3, 2])])
    }
    let means = graph.concatenated(
      [graph.reduced("ReduceMean", x, axis: 3), turned(graph.reduced("ReduceMean", x, axis: 2))], axis: 2)
    let z = try graph.layer(("", shared), means, self.means(shape))
    let features = try shared.outputShape(for: self.means(shape))
    let a = try graph.layer(
      ("", rows), graph.slice(z, axis: 2, 0..<shape.height), line(features, shape.height))
    let b = try graph.layer(
      ("", columns), graph.slice(z, axis: 2, shape.height..<shape.height + shape.width),
      line(features, shape.width))
    return graph.node("Mul", [graph.node("Mul", [x, a]), turned(b)])
  }
}
