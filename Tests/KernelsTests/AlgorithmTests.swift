import Compute
import Kernels
import Layers
import Tensors
import Testing

/// Which algorithm computes what.
struct AlgorithmTests {
  private func layer(_ text: String, _ item: String = "standard", algorithm: String? = nil) throws -> (
    any ChoosesAlgorithm, FeatureShape
  ) {
    let problem = try ConvolutionProblem(parsing: text)
    let layer = try KernelRegistry.builtIn.choice(item).makeLayer(
      at: problem.geometry, algorithm: algorithm, random: Random(seed: 1))
    return (try #require(layer as? any ChoosesAlgorithm), problem.input)
  }

  @Test(arguments: [
    "mb1ic64ih56oc64kh3ph1": "winograd", "mb1ic64ih56oc64kh1": "direct",
    "mb1ic512ih7oc512kh3ph1": "winograd2",
    "g64mb1ic64ih56oc64kh3ph1": "depthwise", "mb1ic64ih56oc64kh31ph15": "fft",
    "mb1ic8ih8oc8kh3ph1": InstructionSet.lanes == 16 ? "window-rows" : "sliding",
    "mb1ic16ih16oc16kh3ph1": "sliding",
    "mb1ic16ih12oc16kh3ph1": InstructionSet.lanes == 16 ? "sliding" : "direct",
    "mb1ic3ih16oc16kh3ph1sh2": "window-rows",
    "mb32ic32ih12oc32kh3ph1": "winograd", "mb1ic32ih12oc32kh3ph1": "direct",
  ]) func theRuleFollowsTheShape(_ problem: String, _ wanted: String) throws {
    let (layer, input) = try layer(problem)
    for training in [false, true] {
      let context = Context(training: training, threads: 1)
      #expect(layer.algorithm(for: input, .forward, context) == wanted)
    }
  }

  /// Sums of small images with many weights are read and written more often than they are added to.
  @Test(arguments: [
    "mb32ic512ih2oc512kh3ph1": "direct", "mb32ic64ih16oc64kh3ph1": "winograd",
    "mb2ic16ih16oc16kh3ph1": InstructionSet.lanes == 16 ? "sliding" : "direct",
  ]) func gradientsToTheWeights(_ problem: String, _ wanted: String) throws {
    let (layer, input) = try layer(problem)
    #expect(layer.algorithm(for: input, .weightGradient, Context(training: true, threads: 1)) == wanted)
  }

  @Test func tuningMeasuresOnceAndRemembers() throws {
    let (layer, input) = try layer("mb1ic16ih16oc16kh3ph1")
    let tuning = AlgorithmTuning()
    let context = Context(training: false, threads: 1, tuning: tuning)
    var random = Random(seed: 2)
    let x = Tensor(normal: input.extents, using: &random)
    _ = layer.forward(x, context)
    let known = tuning.known
    #expect(known.count == 1)
    #expect(layer.algorithm(for: input, .forward, context) == known.values.first)
    _ = layer.forward(x, context)
    #expect(tuning.known == known)
    // Training never asks the stopwatch.
    _ = layer.forward(
      x, Context(training: true, threads: 1, tuning: AlgorithmTuning(known.mapValues { _ in "fft" })))
    #expect(layer.algorithm(for: input, .forward, Context(training: true, threads: 1)) == "sliding")
  }

  /// Distances much smaller than what they are taken between: maxima alone would have lost all their digits.
  @Test func smallDistancesAreGuarded() throws {
    let (layer, input) = try layer("mb1ic32ih4oc33kh3ph1", "adder", algorithm: "max")
    var random = Random(seed: 3)
    let x = Tensor((0..<input.count).map { _ in 1000 + Float(random.normal()) * 0.01 }, input.extents)
    for named in layer.parameters {
      let shape = named.parameter.value.shape
      named.parameter.value = Tensor(
        (0..<shape.reduce(1, *)).map { _ in 1000 + Float(random.normal()) * 0.01 }, shape)
    }
    let values = layer.parameters.map { Tensor64($0.parameter.value) }
    let wanted = layer.definition(Tensor64(x), values, training: false)
    let found = layer.forward(x, Context(training: false, threads: 2))
    // At the centre no padding is read: distances of some 288 · 0.011 between sums of 288 000.
    let centre = (4 + 1) * 33..<(4 + 3) * 33
    for index in centre { #expect(abs(Double(found[index]) - wanted.values[index]) < 1e-4) }
  }

  @Test(arguments: ["winograd", "depthwise", "nothing"]) func whatCannotServeSaysWhy(_ name: String) {
    let error = #expect(throws: WorkbenchError.self) { try layer("mb1ic8ih9oc8kh5ph2", algorithm: name) }
    // Only those that can are offered.
    #expect(error?.description.contains("depthwise-maxima") == false)
  }
}
