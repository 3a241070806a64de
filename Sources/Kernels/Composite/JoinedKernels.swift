import Tensors

/// Several kernels of one network, joined by `+` in an item of `--conv`: one for each stage, or for each block.
///
/// It can be chosen like a kernel, and networks take it apart; it is not an operator itself.
struct JoinedKernels: Kernel {
  let choices: [KernelChoice]

  var name: String { choices.map(\.item).joined(separator: "+") }
  let summary = "a kernel for each stage or block of a network"
  let formula = "that of each kernel"
  let paper = "that of each kernel"
  let algorithms: [String] = []

  func remarks(_ options: KernelOptions) -> [String] {
    choices.flatMap { choice in choice.kernel.remarks(choice.options).map { "\(choice.item): \($0)" } }
  }

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry { place }

  func site(for request: OperatorRequest) throws -> KernelSite {
    throw WorkbenchError("\(name) \(Self.refusal)")
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer { throw WorkbenchError("it \(Self.refusal)") }

  /// Why there is no such operator.
  static let refusal =
    "has a kernel for each stage of a network and is not an operator; name its kernels one by one."
}
