import Compute
import Kernels
import Layers
import Tensors
import Testing

@testable import Experiments

/// An operator that computes something else than its definition is marked wherever it is shown.
struct AgreementTests {
  /// What a wrong kernel does to what a right one gives.
  enum Fault: CaseIterable {
    case none, zero, notANumber, scaledGradient

    func apply(to tensor: Tensor, isForward: Bool) -> Tensor {
      switch self {
      case .none: tensor
      case .zero: isForward ? Tensor(repeating: 0, tensor.shape) : tensor
      case .notANumber: isForward ? Tensor(repeating: .nan, tensor.shape) : tensor
      case .scaledGradient: isForward ? tensor : Tensor(tensor.values.map { 1.01 * $0 }, tensor.shape)
      }
    }
  }

  private struct Faulty: Kernel {
    let name = "faulty", summary = "", formula = "", paper = ""
    let fault: Fault
    func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
      FaultyLayer(try ConvolutionLayer(site), fault)
    }
  }

  private final class FaultyLayer: KernelLayer {
    let inner: ConvolutionLayer, fault: Fault
    init(_ inner: ConvolutionLayer, _ fault: Fault) {
      self.inner = inner
      self.fault = fault
    }
    var geometry: ConvolutionGeometry { inner.geometry }
    var algorithm: String { inner.algorithm }
    var ownState: [NamedParameter] { inner.ownState }
    func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
      try inner.cost(for: input, pass: pass)
    }
    func forward(_ input: Tensor, _ context: Context) -> Tensor {
      fault.apply(to: inner.forward(input, context), isForward: true)
    }
    func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
      fault.apply(to: inner.backward(gradient, input: input, context), isForward: false)
    }
    func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
      inner.reference(input, parameters, training: training)
    }
    func referenceGradients(_ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64)
      -> ReferenceGradients?
    {
      inner.referenceGradients(input, parameters, gradient)
    }
  }

  @Test(arguments: Fault.allCases) func faultsAreMarked(_ fault: Fault) throws {
    let registry = KernelRegistry(KernelRegistry.builtIn.kernels + [Faulty(fault: fault)])
    var plan = OperatorStudy.Plan(try registry.choices("standard,faulty"), threads: 1)
    plan.algorithms = .automatic
    plan.seconds = 0.01
    var study = OperatorStudy(plan)
    try study.run(try ConvolutionProblem(parsing: "mb1_ic4ih5oc4oh5kh3ph1"), nil)
    let wrong = study.rows.filter(\.isWrong)
    #expect(wrong.allSatisfy { $0.kernel == "faulty" })
    let passes: [TimedPass] = fault == .none ? [] : fault == .scaledGradient ? [.backward] : [.forward]
    #expect(wrong.map(\.pass) == passes)
    let table = CSVTable(operators: study.rows, threads: 1, .current())
    for row in table.rows {
      let isWrong = row["kernel"] == "faulty" && passes.map(\.rawValue).contains(row["pass"] ?? "")
      #expect(row["status"] == (isWrong ? "wrong" : "ok"))
      #expect((row["reason"] ?? "").isEmpty == !isWrong)
    }
    let sentence = study.rows.disagreement
    #expect((sentence == nil) == passes.isEmpty)
    #expect(sentence?.hasPrefix("faulty is wrong: it differs from its definition by ") ?? true)
    #expect(wrong.allSatisfy { $0.errorCell.hasSuffix(" wrong") })
  }
}
