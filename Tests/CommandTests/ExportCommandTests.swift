import Foundation
import TestSupport
import Testing

/// `experiment export` as a user runs it.
@Suite struct ExportCommandTests {
  private let folder = TemporaryFolder()

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// A file of weights says what images it is for: nothing needs to be repeated.
  @Test func trainedWeightsBringTheirImages() throws {
    let trained = try Experiment.run([
      "train", "resnet20", "--data", "digits", "--epochs", "1", "--save", path("net.safetensors"),
    ])
    #expect(trained.status == 0, "\(trained.error)")
    let exported = try Experiment.run([
      "export", "resnet20", "--weights", path("net.safetensors"), "--output", path("net.onnx"),
    ])
    #expect(exported.status == 0 && exported.error.isEmpty, "\(exported.error)")
    #expect(try Data(contentsOf: URL(fileURLWithPath: path("net.onnx"))).count > 1_000_000)
    // What is asked for is what counts.
    let other = try Experiment.run([
      "export", "resnet20", "--weights", path("net.safetensors"), "--input", "3x32x32", "--output",
      path("other.onnx"),
    ])
    #expect(other.status == 1 && other.error.contains("saved for images of 1 channel"))
    #expect(!FileManager.default.fileExists(atPath: path("other.onnx")))
  }

  @Test func filesOfOtherEndingsAreRefused() throws {
    let outcome = try Experiment.run(["export", "resnet20", "--output", path("net.pt")])
    #expect(outcome.status == 64 && outcome.error.contains("its ending must be .onnx or .safetensors"))
  }
}
