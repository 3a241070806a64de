import Compute
import Foundation
import Tensors
import Testing

struct SoftmaxTests {
  /// Against Double: exp is good to 2 units in the last place and the argument to half a unit of up to 40, which
  /// makes 40 · 2⁻²⁴ of the value.
  @Test(arguments: [1, 3, 16, 17, 40]) func rowsAreSoftmax(_ columns: Int) {
    var random = Random(seed: 5)
    let x = Tensor(uniform: [6, columns], in: -20..<20, using: &random)
    var y = x
    y.withMutablePointer { Softmax.rows($0, rows: 6, columns: columns, threads: 2) }
    for row in 0..<6 {
      let values = (0..<columns).map { Double(x[row * columns + $0]) }, largest = values.max() ?? 0
      let sum = values.reduce(0) { $0 + exp($1 - largest) }
      for (index, value) in values.enumerated() {
        let wanted = exp(value - largest) / sum
        #expect(abs(Double(y[row * columns + index]) - wanted) <= 4e-6 * wanted)
      }
    }
  }

  @Test func farValuesVanishAndNaNStays() {
    var far = Tensor([0, -200, -.infinity], [1, 3])
    far.withMutablePointer { Softmax.rows($0, rows: 1, columns: 3, threads: 1) }
    #expect(far.values == [1, 0, 0])
    var broken = Tensor([0, .nan, 1], [1, 3])
    broken.withMutablePointer { Softmax.rows($0, rows: 1, columns: 3, threads: 1) }
    #expect(broken[1].isNaN)
  }
}
