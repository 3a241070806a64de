import Layers

/// The energy of an inference, estimated from counts: a model, not a measurement.
///
/// Single-precision arithmetic in 45 nm at 0.9 V, and 640 pJ for 32 bits of DRAM (M. Horowitz, "Computing's energy
/// problem (and what we can do about it)", ISSCC 2014, figure 1.1.9; the DRAM figure, the lower end of his 1.3 to
/// 2.6 nJ for 64 bits, as Han et al., 2016, arXiv:1602.01528, table I, have it). Caches, instructions and leakage, more
/// than arithmetic on a processor, are left out.
package struct EnergyModel: Sendable {
  /// A multiplication, in pJ.
  package var multiplication = 3.7
  /// An addition, in pJ; every other operation counts as one.
  package var addition = 0.9
  /// Four bytes from or to DRAM, in pJ.
  package var word = 640.0

  /// The figures above.
  package init() {}

  /// The arithmetic, in µJ.
  package func arithmetic(_ cost: Cost) -> Double {
    let macs = Double(cost.macs) * (multiplication + addition)
    return 1e-6 * (macs + (Double(cost.adds) + Double(cost.otherOps)) * addition)
  }

  /// The memory, in µJ, if each layer's inputs, parameters and outputs were moved once between DRAM and the processor.
  package func memory(_ cost: Cost) -> Double { 1e-6 * Double(cost.bytes) / 4 * word }
}
