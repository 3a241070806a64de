import Testing

@testable import Experiments

/// The line that tells how far work is.
@Suite struct ProgressTests {
  @Test func timeLeftIsSaidInWords() {
    #expect(ProgressLine.estimate(elapsed: 1, work: 1, of: 2) == "")
    #expect(ProgressLine.estimate(elapsed: 10, work: 0, of: 2) == "")
    #expect(ProgressLine.estimate(elapsed: 10, work: 1, of: 2) == ", about 10 s left")
    #expect(ProgressLine.estimate(elapsed: 100, work: 1, of: 7) == ", about 10 min left")
    #expect(ProgressLine.estimate(elapsed: 3600, work: 1, of: 3.5) == ", about 2.5 h left")
  }

  @Test func linesFitTheTerminal() {
    #expect(ProgressLine.fitted("training 1/2  adder", to: 79) == "training 1/2  adder")
    #expect(ProgressLine.fitted("training 1/2  adder", to: 10) == "training …")
    #expect(ProgressLine.fitted("two\nlines\tand \u{1B}[2J", to: 79) == "two lines and  [2J")
    #expect(ProgressLine.fitted("卷积核", to: 5) == "卷积…")
    #expect(ProgressLine.fitted("卷积核", to: 6) == "卷积核")
    #expect(ProgressLine.fitted("x", to: 0) == "")
  }
}
