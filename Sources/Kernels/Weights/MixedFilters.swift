import Compute
import Layers
import Tensors

/// A convolution whose filter is mixed for each image: y = (Σ over k of a[k](x) · w[k]) ∗ x.
///
/// The shares a are the output of a layer on the same input, `[images, 1, 1, filters]`. The filters are one
/// parameter, `[kernel height, kernel width, input channels / groups, filters · output channels]` in memory: filter k
/// has the outputs from k · outputs on. If an image's filter has factors too, they follow the shares; a single filter
/// then has no share.
final class MixedFilters: KernelLayer, HoldsDecisions, TorchPrinted {
  let geometry: ConvolutionGeometry
  let algorithm: String
  let printedName: String
  private let shares: any Layer
  private let count: Int
  private let factors: FilterFactors?
  private let weight: Parameter
  private let bias: Parameter?
  /// The current image's filter: a single parameter, so that caches notice when it changes.
  private let mixed: Parameter
  private let choice: AlgorithmChoice
  private let sampling: RegularGrid
  private var saved = Saved<(x: Tensor, shares: Tensor)>()

  /// `count` filters for a site, and the layer that computes their shares, and their factors if there are any.
  init(
    _ site: KernelSite, filters count: Int, shares: any Layer, factors: FilterFactors? = nil,
    printedName: String
  ) throws {
    geometry = site.geometry
    algorithm = site.algorithm ?? "auto"
    self.printedName = printedName
    self.shares = shares
    self.count = count
    self.factors = factors
    let shape = geometry.weightShape, combination = Product()
    let (outputs, overflow) = geometry.outputChannels.multipliedReportingOverflow(by: count)
    guard !overflow else { throw WorkbenchError("There are too many filters; use fewer.") }
    try Tensor.checkSize(shape.dropLast() + [outputs], "The weight")
    // Each filter starts as a convolution's would.
    var random = site.random
    let filters = (0..<count).map { _ in combination.initialization.weights(shape, using: &random) }
    weight = Parameter(.concatenated(filters, threads: 1), layout: .convolution)
    bias =
      site.bias
      ? Parameter(Tensor(repeating: 0, [geometry.outputChannels]), layout: .plain, role: .bias) : nil
    mixed = Parameter(Tensor(repeating: 0, shape), layout: .convolution)
    sampling = RegularGrid(geometry)
    choice = try AlgorithmChoice(
      Operation(geometry, combination), .builtIn, requested: site.algorithm)
  }

  var children: [NamedLayer] { [("attention", shares)] }
  var ownState: [NamedParameter] {
    [NamedParameter("weight", weight)] + (bias.map { [NamedParameter("bias", $0)] } ?? [])
  }
  var isExactOnIntegers: Bool { false }
  var printedArguments: String { "\(geometry.printed(bias: bias != nil)), filters=\(count)" }

  /// How many shares an image has, and how many numbers with the factors.
  private var shareCount: Int { factors != nil && count == 1 ? 0 : count }
  private var perImage: Int { shareCount + (factors?.count ?? 0) }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try geometry.outputShape(for: input), made = try shares.outputShape(for: input)
    precondition(made.extents == [input.batch, 1, 1, perImage])
    try choice.check(input.oneImage)
    return output
  }

  /// The shares, one filter for each image, and a convolution. Backward, each image's gradient to its filter becomes the
  /// gradients to the shares and to all filters.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    let mixing = shareCount == 0 ? 0 : input.batch * weight.value.count
    var cost = Product().cost(terms: try geometry.terms(input), pass: pass)
    cost.macs += pass == .backward ? 2 * mixing : mixing
    cost.adds += bias == nil ? 0 : output.count
    let own = weight.value.count + (bias?.value.count ?? 0)
    cost.parameters = own
    // An image's filter is written and read.
    let filters = 2 * input.batch * mixed.value.count
    cost.bytes = (pass == .backward ? 8 : 4) * (input.count + own + output.count + filters)
    if pass == .backward { cost.adds += input.count }
    if factors != nil {
      cost = cost + FilterFactors.cost(weights: input.batch * mixed.value.count, pass: pass)
    }
    return try cost + shares.cost(for: input, pass: pass)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let a = shares.forward(input, context)
    saved.keep((input, a), context)
    let images = (0..<input.shape[0]).map { image in
      _ = mix(a, image)
      let x = input.batchElement(image)
      return choice.forward(
        x, sampling.plan(for: x, context), Filter(mixed), Epilogue(bias: bias?.value), context)
    }
    return Tensor.stacked(images)
  }

  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (x, a) = saved.take()
    bias?.gradient = biasGradient(gradient, threads: context.threads)
    var toShares = Tensor(repeating: 0, a.shape), toWeight = Tensor(repeating: 0, weight.value.shape)
    var images: [Tensor] = []
    for image in 0..<x.shape[0] {
      let sum = mix(a, image)
      let x = x.batchElement(image), g = gradient.batchElement(image), shape = FeatureShape(x)
      let plan = sampling.plan(for: x, context)
      var toFilter = choice.passes(shape, .weightGradient, context)
        .weightGradient(g, x, plan, mixed, context)
      let first = image * perImage + shareCount
      factors?.takeBack(&toFilter, of: sum, a, to: &toShares, from: first)
      unmix(toFilter, a, image, &toShares, &toWeight)
      guard input.isNeeded else { continue }
      images.append(
        choice.passes(shape, .inputGradient, context).inputGradient(g, x, plan, mixed, adding: nil, context))
    }
    weight.gradient = toWeight
    guard input.isNeeded else { return shares.backward(toShares, input: .unneeded, context) }
    let direct = input.total(Tensor.stacked(images), threads: context.threads)
    return shares.backward(toShares, input: .plus(direct), context)
  }

  /// Computes an image's filter; returns the filter before its factors.
  private func mix(_ a: Tensor, _ image: Int) -> Tensor {
    let outputs = geometry.outputChannels, rows = mixed.value.count / outputs, count = count
    var filter = Tensor(repeating: 0, geometry.weightShape)
    withPointers(weight.value, a) { w, a in
      filter.withMutablePointer { filter in
        for row in 0..<rows {
          for k in 0..<count {
            let share = shareCount == 0 ? 1 : a[image * perImage + k], w = w + (row * count + k) * outputs
            let target = filter + row * outputs
            for output in 0..<outputs { target[output] += share * w[output] }
          }
        }
      }
    }
    mixed.value = factors?.applied(to: filter, a, from: image * perImage + shareCount) ?? filter
    return filter
  }

  /// Adds the gradients that an image's filter passes on to the shares and to all filters.
  private func unmix(
    _ toFilter: Tensor, _ a: Tensor, _ image: Int, _ toShares: inout Tensor, _ toWeight: inout Tensor
  ) {
    let outputs = geometry.outputChannels, rows = mixed.value.count / outputs, count = count
    withPointers(weight.value, a, toFilter) { w, a, g in
      toWeight.withMutablePointer { dw in
        for k in 0..<count {
          let share = shareCount == 0 ? 1 : a[image * perImage + k]
          var sum = 0.0
          for row in 0..<rows {
            let first = (row * count + k) * outputs, g = g + row * outputs
            var products: Float = 0
            for output in 0..<outputs {
              dw[first + output] += share * g[output]
              products += w[first + output] * g[output]
            }
            sum += Double(products)
          }
          if shareCount > 0 { toShares[image * perImage + k] = Float(sum) }
        }
      }
    }
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let own = ownState.count, shape = geometry.weightShape, outputs = geometry.outputChannels
    let a = shares.definition(input, Array(parameters[own...]), training: training)
    let images = (0..<input.shape[0]).map { image in
      let made = { (place: Int) in a[image, 0, 0, place] }
      let filter = Tensor64(shape) { row, column, channel, output in
        let sum = (0..<count).reduce(0) {
          $0 + (shareCount == 0 ? 1 : made($1)) * parameters[0][row, column, channel, $1 * outputs + output]
        }
        guard let factors else { return sum }
        return factors.places(row * geometry.kernel.width + column, channel, output)
          .reduce(sum) { $0 * made(shareCount + $1) }
      }
      let x = Tensor64([1] + input.shape.dropFirst()) { input[image, $1, $2, $3] }
      return Definition(geometry, Product()).forward(x, filter, bias == nil ? nil : parameters[1])
    }
    return Tensor64(images.flatMap(\.values), [images.count] + images[0].shape.dropFirst())
  }
}

extension FeatureShape {
  fileprivate var oneImage: FeatureShape {
    FeatureShape(batch: 1, height: height, width: width, channels: channels)
  }
}

extension Tensor {
  /// Concatenates batches of equal size.
  fileprivate static func stacked(_ images: [Tensor]) -> Tensor {
    let count = images[0].count
    var result = Tensor(uninitialized: [images.count] + images[0].shape.dropFirst())
    result.withMutablePointer { y in
      for (index, image) in images.enumerated() {
        image.withPointer { (y + index * count).update(from: $0, count: count) }
      }
    }
    return result
  }
}

/// Mixes the outputs of all filters, which is the same because a convolution is linear in its filter. Factors of taps
/// multiply what is read; those of channels multiply the input and the output.
extension MixedFilters: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let a = try graph.layer(("attention", shares), x, shape)
    let all = weight.value.channelSlices(
      Array(repeating: geometry.outputChannels, count: count), threads: 1)
    let read = try factors?.onnxColumns(x, a, from: shareCount, shape, graph)
    let parts = all.enumerated().map { k, filter in
      let w = graph.constant("weight", filter.toFileOrder(.convolution))
      let y =
        if let factors, let read { factors.onnx(read, w, graph) } else {
          geometry.onnxConvolution("Conv", [x, w], groups: geometry.groups, graph)
        }
      return shareCount == 0 ? y : graph.node("Mul", [y, graph.slice(a, axis: 1, k..<k + 1)])
    }
    var y = parts.dropFirst().reduce(parts[0]) { graph.node("Add", [$0, $1]) }
    if let factors { y = graph.node("Mul", [y, factors.onnxOutputs(a, from: shareCount, graph)]) }
    guard let bias else { return y }
    return graph.node("Add", [y, graph.reshaped(graph.constant("bias", bias), [1, -1, 1, 1])])
  }
}
