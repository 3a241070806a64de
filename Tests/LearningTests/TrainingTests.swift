import Foundation
import Layers
import Learning
import Tensors
import TestSupport
import Testing

/// Losses, optimisers, schedules and elementary layers against PyTorch (experiments/peers/make_fixtures.py).
struct TrainingTests {
  struct Stored: Decodable {
    let shape: [Int]
    let values: [Double]
    func tensor(_ layout: TensorLayout = .plain) -> Tensor {
      Tensor(values.map { Float($0) }, shape).fromFileOrder(layout)
    }
  }

  struct Facts: Decodable {
    struct Descent: Decodable {
      let name: String
      let learningRate, momentum, weightDecay: Double
      let nesterov: Bool
      let initial: [Double]
      let gradients, parameters: [[Double]]
    }
    struct Entropy: Decodable {
      let labelSmoothing, loss: Double
      let logits, gradLogits: Stored
      let targets: [Int]
    }
    struct Rates: Decodable {
      let rule: String
      let baseRate: Double
      let rates: [Double]
      let tMax, stepSize: Int?
      let etaMin, gamma: Double?
      let milestones: [Int]?
    }
    struct Norm: Decodable {
      let epsilon, momentum: Double
      let input, weight, bias, runningMean, runningVar, output, newRunningMean, newRunningVar: Stored
      let gradOutput, gradInput, gradWeight, gradBias, evaluationOutput: Stored
    }
    struct Pool: Decodable {
      let name, rule: String
      let input, output, gradOutput, gradInput: Stored
      let kernel, stride, padding: [Int]?
      let outputSize: [Int]?
    }
    struct Adder: Decodable {
      let eta: Double
      let gradient, scaled: Stored
    }
    let sgd: [Descent]
    let crossEntropy: [Entropy]
    let schedules: [Rates]
    let batchNorm: Norm
    let pooling: [Pool]
    let adderRate: Adder
  }

  let facts: Facts

  init() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/optimisers", withExtension: "json"))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    facts = try decoder.decode(Facts.self, from: Data(contentsOf: url))
  }

  /// Single precision against float64: some roundings of 2⁻²⁴ each.
  private func expectClose(_ found: Tensor, _ wanted: Tensor, _ what: String, tolerance: Double = 2e-6) {
    #expect(found.shape == wanted.shape, "\(what)")
    let deviation = Deviation(of: found.values, from: wanted.values.map(Double.init))
    #expect(deviation.isWithin(tolerance), "\(what): \(deviation)")
  }

  @Test func descentIsPyTorchs() {
    for fact in facts.sgd {
      let parameter = Parameter(Tensor(fact.initial.map { Float($0) }, [6]), layout: .plain)
      let optimizer = SGD(
        [parameter], .init(momentum: fact.momentum, nesterov: fact.nesterov, weightDecay: fact.weightDecay))
      for (gradient, wanted) in zip(fact.gradients, fact.parameters) {
        parameter.gradient = Tensor(gradient.map { Float($0) }, [6])
        optimizer.step(rate: fact.learningRate)
        expectClose(parameter.value, Tensor(wanted.map { Float($0) }, [6]), fact.name)
      }
    }
  }

  @Test func crossEntropyIsPyTorchs() {
    for fact in facts.crossEntropy {
      let result = CrossEntropy.evaluate(fact.logits.tensor(), fact.targets, smoothing: fact.labelSmoothing)
      #expect(abs(result.loss - fact.loss) < 1e-6)
      expectClose(result.gradient, fact.gradLogits.tensor(), "gradient to the logits")
    }
  }

  @Test func schedulesArePyTorchs() throws {
    for fact in facts.schedules {
      let count = fact.rates.count
      for (epoch, rate) in fact.rates.enumerated() {
        switch fact.rule {
        case "cosine":
          // Ours falls to zero: above PyTorch's floor, it is the same share of the way.
          let steps = try #require(fact.tMax), floor = try #require(fact.etaMin)
          let share = Schedule(rate: 1).rate(step: epoch, of: steps)
          #expect(epoch <= steps && abs(floor + (fact.baseRate - floor) * share - rate) < 1e-9)
        case "multistep":
          let shares = try #require(fact.milestones).map { Double($0) / Double(count) }
          let schedule = Schedule(
            rate: fact.baseRate, rule: .step(at: shares, factor: try #require(fact.gamma)))
          #expect(abs(schedule.rate(step: epoch, of: count) - rate) < 1e-9)
        case "step":
          let size = try #require(fact.stepSize)
          let shares = stride(from: size, to: count, by: size).map { Double($0) / Double(count) }
          let schedule = Schedule(
            rate: fact.baseRate, rule: .step(at: shares, factor: try #require(fact.gamma)))
          #expect(abs(schedule.rate(step: epoch, of: count) - rate) < 1e-9)
        default: Issue.record("no schedule for PyTorch's ‘\(fact.rule)’")
        }
      }
    }
  }

  @Test func warmUpRisesToTheRate() {
    let schedule = Schedule(rate: 1, rule: .constant, warmUp: 0.25)
    #expect((0..<8).map { schedule.rate(step: $0, of: 8) } == [0.5, 1, 1, 1, 1, 1, 1, 1])
  }

  @Test func batchNormalisationIsPyTorchs() {
    let fact = facts.batchNorm
    let layer = BatchNormalization(
      channels: fact.weight.shape[0], epsilon: fact.epsilon, momentum: fact.momentum)
    layer.weight.value = fact.weight.tensor()
    layer.bias.value = fact.bias.tensor()
    layer.runningMean.value = fact.runningMean.tensor()
    layer.runningVariance.value = fact.runningVar.tensor()
    for threads in [1, 3] {
      layer.runningMean.value = fact.runningMean.tensor()
      layer.runningVariance.value = fact.runningVar.tensor()
      let context = Context(training: true, threads: threads)
      expectClose(
        layer.forward(fact.input.tensor(.features), context), fact.output.tensor(.features), "output")
      expectClose(
        layer.backward(fact.gradOutput.tensor(.features), context), fact.gradInput.tensor(.features), "dx",
        tolerance: 1e-5)
    }
    expectClose(layer.runningMean.value, fact.newRunningMean.tensor(), "running mean")
    expectClose(layer.runningVariance.value, fact.newRunningVar.tensor(), "running variance")
    for (found, wanted) in [(layer.weight, fact.gradWeight), (layer.bias, fact.gradBias)] {
      expectClose(found.gradient ?? Tensor([0], [1]), wanted.tensor(), "gradient to a parameter")
    }
    let inference = layer.forward(fact.input.tensor(.features), Context(training: false, threads: 1))
    expectClose(inference, fact.evaluationOutput.tensor(.features), "output in inference")
  }

  @Test func poolingIsPyTorchs() throws {
    for fact in facts.pooling {
      let layer: any Layer
      if fact.rule == "adaptive_average" {
        let size = try #require(fact.outputSize)
        layer = AdaptiveAveragePooling(height: size[0], width: size[1])
      } else {
        let window = try PoolingWindow(
          size: #require(fact.kernel)[0], stride: #require(fact.stride)[0], padding: #require(fact.padding)[0]
        )
        layer = fact.rule == "max" ? MaxPooling(window) : AveragePooling(window)
      }
      let context = Context(training: true, threads: 1), x = fact.input.tensor(.features)
      #expect(try layer.outputShape(for: FeatureShape(x)).extents == fact.output.tensor(.features).shape)
      expectClose(layer.forward(x, context), fact.output.tensor(.features), fact.name)
      expectClose(
        layer.backward(fact.gradOutput.tensor(.features), context), fact.gradInput.tensor(.features),
        fact.name)
    }
  }

  @Test func adderScalingIsThePapers() {
    let fact = facts.adderRate
    let parameter = Parameter(Tensor(repeating: 0, fact.gradient.shape), layout: .plain, rule: .adder)
    parameter.gradient = fact.gradient.tensor()
    SGD([parameter], .init(adderRate: fact.eta)).step(rate: -1)
    expectClose(parameter.value, fact.scaled.tensor(), "scaled gradient")
  }
}
