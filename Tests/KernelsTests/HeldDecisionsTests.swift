import Foundation
import Kernels
import Layers
import Tensors
import TestSupport
import Testing

/// Layers whose decisions are held: the smooth functions whose second derivatives studies take.
struct HeldDecisionsTests {
  static let items =
    KernelRegistry.builtIn.kernels.map(\.name) + [
      "deformable:combine=adder:groups=2", "active:combine=adder", "deformable-v2:mask=2sigmoid",
      "non-local:form=concatenation", "non-local:form=dot", "shift:block=csc", "asymmetric:form=block",
      "asymmetric:form=acnet", "aspp:normalization=batch", "depthwise-separable:activation=relu",
      "cbam:around=adder", "squeeze-excite:around=deformable",
    ]

  private func layer(_ item: String, stride: Int) throws -> any Layer {
    let place = try ConvolutionGeometry(
      inputChannels: 12, outputChannels: stride == 1 ? 12 : 8, kernel: Pair(3), stride: Pair(stride),
      padding: Padding(Pair(1)))
    let layer = try KernelRegistry.builtIn.choice(item).makeLayer(at: place, random: Random(seed: 0))
    fill(layer)
    return layer
  }

  private func input(_ name: String, _ shape: [Int]) -> Tensor {
    var random = Random(seed: 7).split(name)
    return Tensor(normal: shape, using: &random)
  }

  @Test(arguments: items) func everyLayerHoldsItsDecisions(_ item: String) throws {
    #expect(try layer(item, stride: 1).firstWithoutHeldDecisions == nil)
  }

  /// Where nothing has changed, holding changes nothing: outputs and gradients are the same up to rounding, whether the
  /// first pass has decided or the definition.
  @Test(arguments: items, [1, 2]) func heldIsTheSame(_ item: String, _ stride: Int) throws {
    let layer = try layer(item, stride: stride), x = input("x", [5, 6, 7, 12])
    var context = Context(training: true, threads: 2)
    let y = layer.forward(x, context), g = input("g", y.shape)
    let dx = layer.backward(g, context), gradients = layer.parameters.map(\.parameter.gradient)
    for isDefined in [false, true] {
      let decisions = Decisions()
      if isDefined {
        Decisions.$ofDefinition.withValue(decisions) {
          let parameters = layer.parameters.map { Tensor64($0.parameter.value) }
          _ = layer.definition(Tensor64(x), parameters, training: true)
        }
      }
      context.decisions = decisions
      for _ in 0..<2 {
        decisions.startPass()
        expectEqual(layer.forward(x, context), y)
        expectEqual(layer.backward(g, context), dx)
        for (own, wanted) in zip(layer.parameters, gradients) {
          expectEqual(try #require(own.parameter.gradient), try #require(wanted), own.name)
        }
      }
    }
  }

  /// Sums of some hundred terms of size 1 in single precision.
  private func expectEqual(_ found: Tensor, _ wanted: Tensor, _ what: String = "") {
    let deviation = Deviation(of: found.values, from: wanted.values.map(Double.init), atLeast: 1)
    #expect(found.shape == wanted.shape && deviation.isWithin(2e-5), "\(what) is \(deviation)")
  }

  /// The promise: with decisions held, gradients are the derivatives of the output, however many kinks lie between the
  /// points whose difference is taken. Adders have AdderNet's gradients, which this makes true.
  ///
  /// An adder inside attention is left out: sums of distances near −130 move a sigmoid from 0 to 1 within any step.
  @Test(arguments: items.filter { $0 != "cbam:around=adder" }, [1, 2]) func gradientsAreDerivatives(
    _ item: String, _ stride: Int
  ) throws {
    let layer = try layer(item, stride: stride), x = input("x", [5, 6, 7, 12])
    let direction = input("direction", x.shape)
    let parameters = layer.parameters.map(\.parameter), values = parameters.map(\.value)
    let directions = layer.parameters.map { input($0.name, $0.parameter.value.shape) }
    var context = Context(training: true, threads: 2)
    let decisions = Decisions()
    context.decisions = decisions
    let y = layer.forward(x, context), g = input("g", y.shape)
    let dx = layer.backward(g, context)
    var wanted = dot(dx, direction)
    for (parameter, direction) in zip(parameters, directions) {
      wanted += dot(try #require(parameter.gradient), direction)
    }
    func value(_ t: Float) -> Double {
      for (parameter, (value, direction)) in zip(parameters, zip(values, directions)) {
        parameter.value = moved(value, direction, t)
      }
      decisions.startPass()
      return dot(layer.forward(moved(x, direction, t), context), g)
    }
    func slope(_ t: Float) -> Double { (value(t) - value(-t)) / Double(2 * t) }
    // Differences of steps 1/32 … 1/256, extrapolated: some per mille of the whole are left of rounding and truncation.
    let slopes = [slope(1 / 32), slope(1 / 64), slope(1 / 128), slope(1 / 256)]
    let once = (0..<3).map { (4 * slopes[$0 + 1] - slopes[$0]) / 3 }
    let twice = (0..<2).map { (16 * once[$0 + 1] - once[$0]) / 15 }
    let found = (64 * twice[1] - twice[0]) / 63, scale = (dot(g, g) * dot(y, y)).squareRoot()
    #expect(abs(found - wanted) <= 2e-3 * abs(wanted) + 2e-4 * scale, "\(found), not \(wanted)")
  }

  private func moved(_ value: Tensor, _ direction: Tensor, _ t: Float) -> Tensor {
    Tensor(zip(value.values, direction.values).map { $0 + t * $1 }, value.shape)
  }

  private func dot(_ a: Tensor, _ b: Tensor) -> Double {
    zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// Layers that no kernel has.
  @Test func otherLayersHoldTheirs() throws {
    let window = try PoolingWindow(size: 3, stride: 2, padding: 1)
    for layer in [ReLU6(), MaxPooling(window), Dropout(0.3, random: Random(seed: 1))] as [any HoldsDecisions]
    {
      let x = Tensor(input("x", [2, 5, 5, 3]).values.map { 4 * $0 }, [2, 5, 5, 3])
      var context = Context(training: true, threads: 1)
      let y = layer.forward(x, context), g = input("g", y.shape), dx = layer.backward(g, context)
      let decisions = Decisions()
      context.decisions = decisions
      Decisions.$ofDefinition.withValue(decisions) { _ = layer.definition(Tensor64(x), [], training: true) }
      decisions.startPass()
      #expect(layer.forward(x, context) == y)
      #expect(layer.backward(g, context) == dx)
      // What was decided for x holds for −x: each output is that of x, turned, but where it was a constant.
      decisions.startPass()
      let turned = layer.forward(Tensor(x.values.map { -$0 }, x.shape), context)
      for (old, new) in zip(y.values, turned.values) { #expect(new == -old || (new == old && old == 6)) }
      #expect(layer.backward(g, context) == dx)
    }
  }
}
