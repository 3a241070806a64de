import Foundation
import Layers
import Tensors

extension ProxyProbe {
  /// Σ |w · ∂R/∂w|, where R is the sum of the outputs for one image of ones, all parameters are replaced by their
  /// absolute values and batch normalisation is taken out.
  ///
  /// R grows with the depth beyond single precision. Then the network, if it is a chain, is run link by link, each
  /// link's output scaled by a power of two: where links are homogeneous of degree one in their input and biases,
  /// R and all w · ∂R/∂w are scaled by the product of these powers, which is taken back in double precision. That
  /// they are so is checked by a second run with other powers.
  func synflow() throws(ProxyRefusal) -> Double {
    guard !network.parameters.contains(where: { $0.parameter.rule == .adder }) else {
      throw ProxyRefusal("it multiplies weights along paths, and adders have none to multiply.")
    }
    for parameter in network.parameters.map(\.parameter) { parameter.value = parameter.value.map(abs) }
    if let value = flow(level: nil) { return value }
    guard let one = flow(level: 0), let other = flow(level: 12), abs(one - other) <= 1e-4 * abs(one) else {
      throw ProxyRefusal(
        "the products of weights exceed single precision, and this network is not a chain of homogeneous layers, which could be scaled."
      )
    }
    return one
  }

  /// - Parameter level: the binary exponent that each link's largest output is brought to, or nil to leave them.
  /// - Returns: nil where something is too large.
  private func flow(level: Int?) -> Double? {
    let links = (network as? any Chain)?.links ?? [network]
    let biases = links.map { link in link.parameters.map(\.parameter).filter { $0.value.shape.count == 1 } }
    let values = biases.map { $0.map(\.value) }
    defer {
      for (parameters, values) in zip(biases, values) {
        for (parameter, value) in zip(parameters, values) { parameter.value = value }
      }
    }
    var context = context
    context.normalization = .none
    var x = Tensor(repeating: 1, [1] + batch.images.shape.dropFirst())
    var scales: [Float] = [], total = 0
    for (index, link) in links.enumerated() {
      for (parameter, value) in zip(biases[index], values[index]) {
        parameter.value = value.map { Float(scalbn(Double($0), total)) }
      }
      x = link.forward(x, context)
      let largest = x.largestMagnitude
      guard largest.isFinite else { return nil }
      var power = 0
      if let level, index < links.count - 1, largest > 0 {
        power = min(max(level - Int(largest.exponent), -120), 120)
      }
      total += power
      scales.append(scalbn(Float(1), power))
      x = x.scaled(by: scales[index])
    }
    var gradient = Tensor(repeating: 1, x.shape)
    for (link, scale) in zip(links, scales).reversed() {
      gradient = link.backward(gradient.scaled(by: scale), context)
    }
    let sum = weights.reduce(0.0) { sum, weight in
      // Weights and outputs are not negative, gradients to the inputs of products neither.
      sum + (weight.gradient.map { $0.map(abs).dot(weight.value) } ?? 0)
    }
    return sum.isFinite ? scalbn(sum, -total) : nil
  }
}

extension Tensor {
  /// The tensor of the same shape with a function of each element.
  func map(_ function: (Float) -> Float) -> Tensor {
    mapped { x, y in
      for index in 0..<count { y[index] = function(x[index]) }
    }
  }

  /// The largest absolute value; NaN if any is.
  var largestMagnitude: Float {
    withPointer { x in
      (0..<count).reduce(Float(0)) { $0.isNaN || x[$1].isNaN ? .nan : max($0, abs(x[$1])) }
    }
  }
}
