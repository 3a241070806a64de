import Foundation
import Testing

/// The means by which the other tests start programs.
@Suite struct ExperimentTests {
  /// More than a pipe holds, on each output: a child that writes it is not waited for for ever.
  @Test func outputsOfAnyLengthAreRead() throws {
    let loud = "head -c 200000 /dev/zero | tr '\\0' e >&2; head -c 200000 /dev/zero | tr '\\0' o; exit 3"
    let outcome = try Experiment.run(URL(fileURLWithPath: "/bin/sh"), ["-c", loud])
    #expect(outcome.status == 3)
    #expect(outcome.error == String(repeating: "e", count: 200_000))
    #expect(outcome.output == String(repeating: "o", count: 200_000))
  }
}
