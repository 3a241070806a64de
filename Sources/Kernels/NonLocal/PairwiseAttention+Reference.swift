import Foundation
import Layers
import Tensors

/// The plain definition, pixel by pixel.
extension PairwiseAttention {
  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let own = weight == nil ? 0 : 1
    let byChild = byChild(Array(parameters.dropFirst(own)))
    func of(_ layer: any Layer, _ index: Int) -> Tensor64 {
      layer.definition(
        input, form == .gaussian && index < 2 ? [] : byChild[form == .gaussian ? 0 : index],
        training: training)
    }
    let q = of(queries, 0), k = of(keys, 1), v = of(values, 2)
    let across = k.shape[2], places = (0..<k.shape[1] * across).map { ($0 / across, $0 % across) }
    var y = Tensor64(repeating: 0, q.shape.dropLast() + [width]), passes: [Tensor] = []
    for image in 0..<q.shape[0] {
      var sums: [Double] = []
      for row in 0..<q.shape[1] {
        for column in 0..<q.shape[2] {
          let likeness = places.map { place -> Double in
            if form == .concatenation {
              let w = parameters[0].values
              return (0..<width).reduce(0) {
                $0 + w[$1] * q[image, row, column, $1] + w[width + $1] * k[image, place.0, place.1, $1]
              }
            }
            return (0..<q.shape[3]).reduce(0) {
              $0 + q[image, row, column, $1] * k[image, place.0, place.1, $1]
            }
          }
          sums += likeness
          for (weight, place) in zip(weights(likeness), places) {
            for channel in 0..<width {
              y[image, row, column, channel] += weight * v[image, place.0, place.1, channel]
            }
          }
        }
      }
      passes.append(.signs(sums, [sums.count / places.count, places.count]))
    }
    if form == .concatenation { _ = Decisions.ofDefinition?.made(by: self) { passes } }
    return y
  }

  /// a of one query, from its products or sums.
  private func weights(_ likeness: [Double]) -> [Double] {
    let count = Double(likeness.count)
    switch form {
    case .embedded, .gaussian:
      let largest = likeness.max() ?? 0, exponentials = likeness.map { exp($0 - largest) }
      let sum = exponentials.reduce(0, +)
      return exponentials.map { $0 / sum }
    case .dot: return likeness.map { $0 / count }
    case .concatenation: return likeness.map { max($0, 0) / count }
    }
  }
}
