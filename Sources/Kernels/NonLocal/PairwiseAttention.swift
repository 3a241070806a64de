import Compute
import Foundation
import Layers
import Tensors

/// y[p] = Σ over q of a(p, q) · g(x[q]): the weights a are the similarity of p and q.
///
/// The keys and values (φ and g) may be max-pooled, so that there are fewer of them. The similarity matrix has
/// pixels² elements and is not kept, but computed again in the backward pass.
final class PairwiseAttention: Defined, HoldsDecisions {
  /// The measure of similarity (Wang et al., 2017, arXiv:1711.07971, §3.2).
  enum Form: String, CaseIterable {
    /// softmax over q of θ(x[p])ᵀ φ(x[q])
    case embedded
    /// softmax over q of x[p]ᵀ x[q]
    case gaussian
    /// θ(x[p])ᵀ φ(x[q]) / N
    case dot
    /// relu(wᵀ [θ(x[p]), φ(x[q])]) / N
    case concatenation
  }

  /// Channels of the values, and of the embeddings: half of the input's.
  let width: Int
  let form: Form
  let queries: any Layer, keys: any Layer, values: any Layer
  let children: [NamedLayer]
  /// Of the concatenation: for θ, then for φ.
  let weight: Parameter?
  /// `passes` are the decisions of the concatenation's ReLU where they are held, image by image.
  private var saved = Saved<(q: Tensor, k: Tensor, v: Tensor, passes: [Tensor]?)>()

  init(_ site: KernelSite, _ form: Form, subsample: Int) throws {
    guard site.geometry.stride.height == site.geometry.stride.width else {
      throw WorkbenchError("non-local needs the same stride in both directions, not \(site.geometry.stride).")
    }
    self.form = form
    let whole = site.geometry, width = max(1, whole.inputChannels / 2)
    self.width = width
    func pooling() -> [NamedLayer] {
      subsample == 1 ? [] : [("pool", ShrunkMaximum(subsample))]
    }
    let embedding = try whole.pointwise(to: width)
    let values = try site.convolution("g", embedding)
    self.values = Sequential([values] + pooling())
    if form == .gaussian {
      queries = PaddingShortcut(
        stride: whole.stride.height, inputs: whole.inputChannels, outputs: whole.inputChannels)
      keys = Sequential(pooling())
      children = [values]
    } else {
      let theta = try site.convolution("theta", embedding.with(stride: whole.stride))
      let phi = try site.convolution("phi", embedding)
      queries = theta.layer
      keys = Sequential([phi] + pooling())
      children = [theta, phi, values]
    }
    var random = site.random.split("concatenation")
    weight =
      form == .concatenation
      ? Parameter(
        Initialization.residual.weights([1, 1, 2 * width, 1], using: &random), layout: .convolution) : nil
  }

  var parts: [any Layer] { [queries, keys, values] }

  let isExactOnIntegers = false

  var ownState: [NamedParameter] { weight.map { [NamedParameter("concat.weight", $0)] } ?? [] }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    var output = try queries.outputShape(for: input)
    output.channels = width
    _ = try values.outputShape(for: input)
    let keys = try keys.outputShape(for: input)
    try Tensor.checkSize(
      [output.height * output.width, keys.height * keys.width], "The matrix of all pairs of pixels")
    return output
  }

  /// Forward: the similarities, and the values' sums by them. Backward: the similarities again, the products for the
  /// gradients to them and to the values, then those to queries and keys, and the sum of the three gradients to the input.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let q = try queries.outputShape(for: input), k = try keys.outputShape(for: input)
    let pairs = q.pixels * k.height * k.width
    var cost = try [queries, keys, values].reduce(Cost()) { $0 + (try $1.cost(for: input, pass: pass)) }
    cost = cost + similarityCost(q, k, pairs)
    if pass == .backward {
      cost = cost + Cost(macs: 2 * pairs * width, adds: 2 * input.count) + similarityGradientCost(q, k, pairs)
    } else {
      cost = cost + Cost(macs: pairs * width)
    }
    // The pairs, and backward their gradients, are written and read twice.
    cost.bytes += (pass == .backward ? 32 : 16) * pairs
    cost.parameters += weight?.value.count ?? 0
    return cost
  }

  /// Softmax: a maximum, a difference, an exponential, a sum and a product for each pair.
  private func similarityCost(_ q: FeatureShape, _ k: FeatureShape, _ pairs: Int) -> Cost {
    switch form {
    case .embedded, .gaussian: Cost(macs: pairs * q.channels, adds: 2 * pairs, otherOps: 3 * pairs)
    case .dot: Cost(macs: pairs * q.channels, otherOps: pairs)
    case .concatenation: Cost(macs: (q.pixels + k.pixels) * width, adds: pairs, otherOps: 2 * pairs)
    }
  }

  /// Softmax: a · (g − Σ a · g) for each pair. Of a concatenation, each pair's gradient is summed for its query and for
  /// its key, then multiplied with the weight and with the embedding.
  private func similarityGradientCost(_ q: FeatureShape, _ k: FeatureShape, _ pairs: Int) -> Cost {
    switch form {
    case .embedded, .gaussian: Cost(macs: 2 * pairs * q.channels + pairs, adds: pairs, otherOps: pairs)
    case .dot: Cost(macs: 2 * pairs * q.channels, otherOps: pairs)
    case .concatenation:
      Cost(
        macs: (q.pixels + k.pixels) * width, adds: 2 * pairs,
        otherOps: 2 * pairs + (q.pixels + k.pixels) * width)
    }
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let q = queries.forward(input, context), k = keys.forward(input, context)
    let v = values.forward(input, context)
    var passes: [Tensor]?
    if form == .concatenation, let decisions = context.decisions {
      passes = decisions.made(by: self) {
        (0..<q.shape[0]).map { image in
          let sums = sums(q.matrix(image), k.matrix(image))
          return .signs(sums.values, sums.shape)
        }
      }
    }
    saved.keep((q, k, v, passes), context)
    return .stacked(
      (0..<q.shape[0]).map { image in
        MatrixProduct.plain(
          similarity(q.matrix(image), k.matrix(image), passes?[image], context.threads), v.matrix(image),
          threads: context.threads)
      }, [q.shape[0], q.shape[1], q.shape[2], width])
  }

  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (q, k, v, passes) = saved.take()
    let threads = context.threads
    var toQ: [Tensor] = [], toK: [Tensor] = [], toV: [Tensor] = []
    var toWeight = Array(repeating: Float(0), count: weight?.value.count ?? 0)
    for image in 0..<q.shape[0] {
      let (q, k, v, g) = (q.matrix(image), k.matrix(image), v.matrix(image), gradient.matrix(image))
      let a = similarity(q, k, passes?[image], threads)
      toV.append(MatrixProduct.transposingFirst(a, g, threads: threads))
      let toA = MatrixProduct.transposingSecond(g, v, threads: threads)
      let toSums = throughSimilarity(passes?[image] ?? a, toA, threads)
      if form == .concatenation {
        let (dq, dk) = throughSums(toSums, q, k, &toWeight)
        toQ.append(dq)
        toK.append(dk)
      } else {
        toQ.append(MatrixProduct.plain(toSums, k, threads: threads))
        toK.append(MatrixProduct.transposingFirst(toSums, q, threads: threads))
      }
    }
    if let weight { weight.gradient = Tensor(toWeight, weight.value.shape) }
    let inside: InputGradient = input.isNeeded ? .needed : .unneeded
    var result = values.backward(.stacked(toV, v.shape), input: inside, context)
    let dk = keys.backward(.stacked(toK, k.shape), input: inside, context)
    let dq = queries.backward(.stacked(toQ, q.shape), input: inside, context)
    guard input.isNeeded else { return InputGradient.nothing }
    result.add(dk, threads: threads)
    result.add(dq, threads: threads)
    return input.total(result, threads: threads)
  }

  /// a: `[queries, keys]` of one image.
  private func similarity(_ q: Tensor, _ k: Tensor, _ passes: Tensor?, _ threads: Int) -> Tensor {
    let keys = k.shape[0], factor = 1 / Float(keys)
    var a = form == .concatenation ? sums(q, k) : MatrixProduct.transposingSecond(q, k, threads: threads)
    if let passes { a = a.times(passes, threads: threads) }
    let rows = q.shape[0], count = a.count
    a.withMutablePointer { a in
      switch form {
      case .embedded, .gaussian: Softmax.rows(a, rows: rows, columns: keys, threads: threads)
      case .dot: Elementwise.scale(factor, a, a, count: count, threads: threads)
      case .concatenation:
        if passes == nil { Elementwise.relu(a, a, count: count, threads: threads) }
        Elementwise.scale(factor, a, a, count: count, threads: threads)
      }
    }
    return a
  }

  /// wᵀ [q, k] of all pairs.
  private func sums(_ q: Tensor, _ k: Tensor) -> Tensor {
    let w = weight?.value.values ?? []
    func products(_ x: Tensor, _ first: Int) -> [Float] {
      let values = x.values
      return (0..<x.shape[0]).map { row in
        (0..<width).reduce(0) { $0 + values[row * width + $1] * w[first + $1] }
      }
    }
    let left = products(q, 0), right = products(k, width)
    var sums = Tensor(uninitialized: [left.count, right.count])
    sums.withMutablePointer { sums in
      right.withUnsafeBufferPointer { right in
        for (row, l) in left.enumerated() {
          let row = sums + row * right.count
          for index in right.indices { row[index] = l + right[index] }
        }
      }
    }
    return sums
  }

  /// The gradient to what the similarity is made of: products, or sums.
  private func throughSimilarity(_ a: Tensor, _ gradient: Tensor, _ threads: Int) -> Tensor {
    let keys = a.shape[1], rows = a.shape[0], factor = 1 / Float(a.shape[1]), form = form
    var result = Tensor(uninitialized: a.shape)
    withPointers(a, gradient) { a, g in
      result.withMutablePointer { result in
        switch form {
        case .embedded, .gaussian:
          Softmax.gradient(a, g, result, rows: rows, columns: keys, threads: threads)
        case .dot: Elementwise.scale(factor, g, result, count: rows * keys, threads: threads)
        case .concatenation:
          Elementwise.reluGradient(a, g, result, count: rows * keys, threads: threads)
          Elementwise.scale(factor, result, result, count: rows * keys, threads: threads)
        }
      }
    }
    return result
  }

  /// From the sums of the concatenation to the queries, the keys and the weight.
  private func throughSums(_ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ toWeight: inout [Float]) -> (
    Tensor, Tensor
  ) {
    let w = weight?.value.values ?? [], g = gradient.values, keys = k.shape[0]
    func spread(_ x: Tensor, _ sums: [Float], _ first: Int) -> Tensor {
      let values = x.values
      for index in values.indices { toWeight[first + index % width] += sums[index / width] * values[index] }
      return Tensor(values.indices.map { sums[$0 / width] * w[first + $0 % width] }, x.shape)
    }
    var byQuery = Array(repeating: Float(0), count: q.shape[0]),
      byKey = Array(repeating: Float(0), count: keys)
    for index in g.indices {
      byQuery[index / keys] += g[index]
      byKey[index % keys] += g[index]
    }
    return (spread(q, byQuery, 0), spread(k, byKey, width))
  }
}

extension Tensor {
  /// One image of feature maps as a matrix of pixels and channels.
  fileprivate func matrix(_ image: Int) -> Tensor {
    let pixels = shape[1] * shape[2], size = pixels * shape[3]
    var result = Tensor(uninitialized: [pixels, shape[3]])
    withPointer { source in
      result.withMutablePointer { $0.update(from: source + image * size, count: size) }
    }
    return result
  }

  /// Feature maps from matrices of single images.
  fileprivate static func stacked(_ images: [Tensor], _ shape: [Int]) -> Tensor {
    var result = Tensor(uninitialized: shape)
    result.withMutablePointer { target in
      var first = 0
      for image in images {
        image.withPointer { (target + first).update(from: $0, count: image.count) }
        first += image.count
      }
    }
    return result
  }
}
