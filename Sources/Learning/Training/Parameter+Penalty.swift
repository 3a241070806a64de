import Layers
import Tensors

extension Parameter {
  /// λ · Σ w², the part of the loss that belongs to the parameter's size, as Keras's `kernel_regularizer`; its gradient
  /// 2 · λ · w is added to the parameter's.
  ///
  /// What a model declares so stands beside an optimiser's weight decay: both act.
  func addPenalty() -> Double {
    guard penalty > 0, gradient != nil else { return 0 }
    gradient?.add(2 * penalty, times: value)
    return penalty * value.values.reduce(0) { $0 + Double($1) * Double($1) }
  }
}
