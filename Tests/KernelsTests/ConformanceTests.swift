import Conformance
import Kernels
import Testing

@Suite struct ConformanceTests {
  /// Every built-in kernel, and the combinations that its options make.
  static let items =
    KernelRegistry.builtIn.kernels.map(\.name) + [
      "standard:dilation=2x3", "adder:dilation=2", "fft:dilation=2", "dilated:dilation=3", "shift:dilation=2",
      "shift:pointwise=always", "deformable:groups=2", "deformable:combine=adder",
      "deformable:combine=max-plus",
      "deformable:dilation=2", "max-plus:dilation=2", "active:combine=max-plus",
      "deformable-v2:mask=2sigmoid", "deformable-v2:groups=2:combine=adder", "grouped:groups=2",
      "depthwise-separable:order=pointwise:activation=relu", "asymmetric:form=block",
      "asymmetric:form=block:bias=yes", "asymmetric:bias=yes", "small-stack:reach=7",
      "asymmetric:form=acnet", "depthwise:window=7", "standard:window=5", "standard:window=1x7:dilation=2",
      "dilated:window=5", "adder:window=3x5", "fft:window=7x3", "grouped:window=5:groups=2",
      "shift:block=csc:expansion=2", "multi-scale:split=3-1-2",
      "aspp:rates=1-2:pooling=off", "aspp:rates=2:pooling=off:normalization=batch", "cascaded:rates=2-3",
      "active:combine=adder", "active:dilation=2", "active-shift:pointwise=always", "non-local:form=gaussian",
      "non-local:form=dot:subsample=1", "non-local:form=concatenation",
      "squeeze-excite:reduction=2:around=adder",
      "cbam:reduction=2:window=3:around=depthwise-separable:activation=relu", "deformable:combine=adder-l2",
      "mixed-depthwise:pointwise=always", "partial:ratio=2:dilation=2", "blueprint:share=0",
      "morphological:form=dilation", "involution:window=5:shared=2", "star:activation=none",
      "binary:dilation=2", "binary:inputs=binary",
      "dcnv3:shared=2", "dcnv4:shared=2:dilation=2", "octave:alpha=0.25:dilation=2", "octave:alpha=1",
      "wavelet:levels=3:window=5", "wavelet:pointwise=always", "coordinate-attention:around=depthwise",
      "odconv:filters=1", "snake:length=3:axes=column:dilation=2", "snake:length=5:axes=row",
      "kan:grid=2:range=1", "large-kernel:window=7:small=3:form=stripes",
    ]

  /// Kernels that have all algorithms between them.
  private static let complete = ["standard", "adder", "max-plus"]

  @Test func everyAlgorithmIsChecked() throws {
    let names = try Self.complete.flatMap { try KernelRegistry.builtIn.choice($0).kernel.algorithms }
    #expect(Set(names) == Set(Algorithms.builtIn.forward.map(\.name)))
  }

  @Test(arguments: items) func conforms(_ item: String) throws {
    var conformance = Conformance()
    conformance.check(try KernelRegistry.builtIn.choice(item), cases: try ConformanceCase.standardCases())
    for failure in conformance.failures.prefix(5) { Issue.record("\(failure)") }
    // The definition must hold wherever a layer runs. Every algorithm is one of these three kernels', of which it may not
    // refuse everything; other kernels leave some nothing: Winograd has no 5×5.
    let checked = conformance.checkedByAlgorithm
    let unchecked = checked.keys.filter { checked[$0] == 0 }
    #expect(!Self.complete.contains(item) || unchecked.isEmpty, "\(item), checked: \(checked)")
    #expect(checked["direct"] != 0, "\(item), checked: \(checked)")
    #expect(checked["reference"] == checked["auto"], "\(item), checked: \(checked)")
  }
}
