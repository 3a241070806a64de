import Kernels
import Tensors
import Testing

/// oneDNN benchdnn's problem strings, by its rules.
struct ConvolutionProblemTests {
  @Test func readsTheContractsExample() throws {
    let problem = try ConvolutionProblem(parsing: #"mb1_ic64ih56oc64oh56kh3ph1n"res2""#)
    #expect(problem.input == FeatureShape(batch: 1, height: 56, width: 56, channels: 64))
    #expect(problem.geometry.kernel == Pair(3) && problem.geometry.padding == Padding(Pair(1)))
    #expect(problem.text == #"mb1_ic64ih56oc64oh56kh3ph1n"res2""#)
  }

  @Test func fillsInWhatIsLeftOut() throws {
    let problem = try ConvolutionProblem(parsing: "ic3ih10oc4kh3")
    #expect(problem.input.batch == 2 && problem.input.width == 10)
    #expect(problem.geometry.stride == Pair(1) && problem.geometry.dilation == Pair(1))
    #expect(problem.geometry.padding == Padding(Pair(0)) && problem.geometry.groups == 1)
  }

  @Test func dilationCountsFromZero() throws {
    let problem = try ConvolutionProblem(parsing: "mb1ic3ih10oc4kh3dh1")
    #expect(problem.geometry.dilation == Pair(2))
    #expect(try problem.geometry.outputShape(for: problem.input).height == 6)
  }

  @Test func channelsAreTotalsOverTheGroups() throws {
    let problem = try ConvolutionProblem(parsing: "g32mb1_ic128ih56_oc128oh56_kh3_ph1")
    #expect(problem.geometry.groups == 32 && problem.geometry.channelsPerGroup == 4)
  }

  @Test func widthsMayDiffer() throws {
    let problem = try ConvolutionProblem(parsing: "mb1_ic4ih8iw9_oc5oh8ow9_kh1kw3_sh1sw1_ph0pw1")
    #expect(problem.geometry.kernel == Pair(1, 3))
    #expect(try problem.geometry.outputShape(for: problem.input).width == 9)
  }

  /// TensorFlow's SAME padding at stride 2: one row more at the far side.
  @Test func missingRowsAreFarPadding() throws {
    let problem = try ConvolutionProblem(parsing: "mb1ic3ih224oc32oh112kh3sh2ph0")
    #expect(problem.geometry.padding == Padding(top: 0, left: 0, bottom: 1, right: 1))
    #expect(try problem.geometry.outputShape(for: problem.input).height == 112)
  }

  @Test func threeDimensionsAreUnsupported() {
    #expect(throws: ConvolutionProblem.Unsupported.self) {
      try ConvolutionProblem(parsing: "mb1ic3id4ih4oc4kd3kh3")
    }
  }

  @Test(arguments: [
    ("mb1ic16iw50oc8ow50kw3pw1", Pair(1, 3), 1, 50), ("g4mb2_ic16iw9_oc8ow4_kw3sw2_dw0", Pair(1, 3), 2, 4),
    ("mb1ic3iw10oc4ow8kw5pw1", Pair(1, 5), 1, 8), ("ic3iw10oc4kw1", Pair(1), 1, 10),
  ]) func oneDimensionIsARow(_ text: String, _ kernel: Pair, _ step: Int, _ width: Int) throws {
    let problem = try ConvolutionProblem(parsing: text), geometry = problem.geometry
    #expect(problem.text == text && geometry.kernel == kernel && geometry.stride == Pair(1, step))
    #expect(geometry.padding.top == 0 && geometry.padding.bottom == 0 && geometry.dilation == Pair(1))
    let output = try geometry.outputShape(for: problem.input)
    #expect(problem.input.height == 1 && output.height == 1 && output.width == width)
    let again = try ConvolutionProblem(parsing: geometry.problem(problem.input))
    #expect(again.geometry == geometry && again.input == problem.input)
  }

  @Test(arguments: [
    "", "nonsense", "mb1", "ic3ih10oc4", "ic3ih10oc4kh", "ic3ic3ih10oc4kh3",
    "ic3ih99999999999999999999oc4kh3",
    "ic3ih2oc4kh3", "ic3ih10oc4oh9999kh3oh3", "ic0ih10oc4kh3", "g2ic3ih10oc4kh3", "ic3ih10oc4oh2kh3",
    "ic3 ih10oc4kh3",
    "mb0ic3ih10oc4kh3",
  ]) func wrongStringsAreRefused(_ text: String) {
    #expect(throws: WorkbenchError.self) { try ConvolutionProblem(parsing: text) }
  }

  @Test func aGeometryWritesWhatItReads() throws {
    // The last needs its ow: beside iw it does not follow oh, and there is padding at the far side.
    for text in [
      "mb1_ic64ih56oc64oh56kh3ph1", "g4mb3_ic8ih9iw7oc8oh4ow3kh3kw5sh2ph1pw2dh1dw0",
      "mb1_ic4ih1iw7oc8oh3ow3kh6",
    ] {
      let problem = try ConvolutionProblem(parsing: text)
      let again = try ConvolutionProblem(parsing: problem.geometry.problem(problem.input))
      #expect(again.geometry == problem.geometry && again.input == problem.input, "\(text)")
    }
  }
}
