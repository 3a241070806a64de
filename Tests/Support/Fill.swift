import Layers
import Tensors

/// Gives every weight and running statistic a value that depends on its name and a seed alone, as `filling` in
/// networks.py.
public func fill(_ layer: any Layer, seed: UInt64 = 0) {
  for (name, parameter) in layer.state.map({ ($0.name, $0.parameter) }) {
    var random = Random(seed: seed).split(name)
    let shape = parameter.layout.fileShape(parameter.value.shape)
    let range: Range<Double>
    if shape.count > 1 {
      let bound = (6 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
      range = -bound..<bound
    } else if name.hasSuffix("running_var") {
      range = 0.5..<1.5
    } else if name.hasSuffix("weight") {
      range = 0.3..<0.7
    } else {
      range = -0.2..<0.2
    }
    parameter.value = Tensor(uniform: shape, in: range, using: &random).fromFileOrder(parameter.layout)
  }
}
