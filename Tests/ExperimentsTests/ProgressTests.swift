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
    #expect(Terminal.fitted("training 1/2  adder", to: 79) == "training 1/2  adder")
    #expect(Terminal.fitted("training 1/2  adder", to: 10) == "training …")
    #expect(Terminal.shortened("cbam:around=deformable:combine=adder", to: 24) == "cbam:around=…mbine=adder")
    #expect(Terminal.shortened("cbam", to: 4) == "cbam" && Terminal.shortened("cbam4", to: 4) == "cb…4")
    #expect(Terminal.fitted("two\nlines \u{1B}[2J", to: 79) == "two\\nlines \\u{1b}[2J")
    #expect(Terminal.fitted("卷积核", to: 5) == "卷积…")
    #expect(Terminal.fitted("卷积核", to: 6) == "卷积核")
    #expect(Terminal.fitted("x", to: 0) == "")
  }
}
