import Compute
import Layers
import Tensors

/// Dilations and erosions of each channel by learned structuring elements, combined by a 1×1 convolution.
struct Morphological: ComposedKernel {
  let name = "morphological"
  let family = KernelFamily.arithmetic
  let summary =
    "the largest sum and the smallest difference of window and weights for each channel, then a 1×1"
  let formula = "y = w · [max over t of x[p·s + t, c] + a[t, c], min over t of x[p·s + t, c] − b[t, c]]"
  let paper = "Mondal et al., 2019, arXiv:1901.00109"
  let options: [any AnyKernelOption] = [form, KernelOptions.dilation]

  private enum Form: String, CaseIterable { case both, dilation, erosion }

  private static let form = KernelOption(
    "form", .word, initial: Form.both, help: "which of the two are computed")

  /// The 1×1 mixes all channels, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, channels = whole.inputChannels, form = site.options[Self.form]
    if whole.taps == 1 { return try site.pointwise() }
    let each = try whole.with(outputChannels: channels, groups: channels)
    func largest(_ name: String) throws -> NamedLayer {
      let own = KernelSite(
        geometry: each, algorithm: site.algorithmOfOtherParts, random: site.random.split(name))
      return (name, try ConvolutionLayer(own, combination: MaxPlus()))
    }
    // min (x − b) = −max (−x + b)
    let branches: [NamedLayer] =
      (form == .erosion ? [] : [try largest("dilation")])
      + (form == .dilation
        ? []
        : [("", Sequential([("before", Negation()), try largest("erosion"), ("after", Negation())]))])
    let project = try site.convolution(
      "project", whole.pointwise(from: branches.count * channels), bias: site.bias)
    return ComposedLayer(site, [("", Branches(branches, join: .concatenation)), project])
  }
}

/// y = −x.
final class Negation: Defined, HoldsDecisions {
  func outputShape(for input: FeatureShape) -> FeatureShape { input }
  var isExactOnIntegers: Bool { true }

  /// A sign for each value.
  func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    Cost(otherOps: input.count, bytes: 8 * input.count)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    Self.negated(input, context)
  }

  func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    input.total(Self.negated(gradient, context), threads: context.threads)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    input.map { -$0 }
  }

  private static func negated(_ values: consuming Tensor, _ context: Context) -> Tensor {
    let count = values.count
    return values.mapped { Elementwise.scale(-1, $0, $1, count: count, threads: context.threads) }
  }
}

extension Negation: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    graph.node("Neg", [x])
  }
}
