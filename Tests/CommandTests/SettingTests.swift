import Experiments
import Foundation
import Learning
import Networks
import Tensors
import Testing

/// What can be set is declared once; the command line and files have all of it, with the same words.
@Suite struct SettingTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "settings-\(UUID().uuidString)")

  /// The name, a value that is not the default, and one that is none, with the sentence that refuses it.
  private static func example(_ name: String) -> (good: String, wrong: String, reason: String) {
    switch name {
    case "optimizer": ("adamw", "lion", "sgd, adam or adamw")
    case "schedule": ("constant", "warm", "constant, cosine or step")
    case "replace": ("all", "some", "spatial or all")
    case "shortcut": ("projection", "none at all", "padding, projection or none")
    case "stride-on": ("spatial", "last", "spatial or first")
    case "block": ("convnext", "some", "bottleneck, inverted-residual, convnext or repvgg")
    case "stages", "dilate-stages": ("2,3", "2,x", "numbers of stages, such as 2,3,4")
    case "augment", "shuffle", "standardize": ("off", "perhaps", "on or off")
    case "nesterov", "zero-init": ("on", "perhaps", "true or false")
    case "size": ("9x7", "9x", "N or HxW, each from 1 to 4096")
    case "kernel": ("5", "4", "an odd number from 1 to 1023, so that it has a centre")
    case "epochs", "batch", "expansion", "depth", "channels", "seeds", "patience":
      ("2", "-1", "a whole number from 1 to")
    case "milestones": ("0.5", "1.5", "numbers from 0 to 1")
    default: ("0.5", "many", "a number from 0")
    }
  }

  private func check<Target>(
    _ settings: [Setting<Target>], _ command: [String], inFiles: Bool = true, file: (String, String) -> String
  ) throws {
    let help = try Experiment.run(command + ["--help"]).output
    for setting in settings where setting.name != "init" {
      #expect(help.contains("--\(setting.name)"), "\(command) has no --\(setting.name)")
      let example = Self.example(setting.name)
      var target = Target()
      #expect(throws: Never.self) { try setting.set(&target, [example.good], label: "x") }
      let error = #expect(throws: WorkbenchError.self) {
        try setting.set(&target, [example.wrong], label: "x")
      }
      #expect(
        error?.description.hasPrefix("x is ‘\(example.wrong)’; it must be \(example.reason)") == true,
        "\(error as Any)")
      // The same sentence from a file, with its line, and from the command line.
      let path = folder.appendingPathComponent("a.yaml").path
      let text = file(setting.name, example.wrong)
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      let read = try Experiment.run(["sweep", path, "--dry-run"])
      #expect(
        read.status == 1 && read.error.contains("\(setting.name) is ‘\(example.wrong)’; it must be"),
        "\(text)\(read.error)")
      guard !setting.placeholder.isEmpty else { continue }
      let given = try Experiment.run(command + ["--\(setting.name)=\(example.wrong)"])
      #expect(
        given.status == 64
          && given.error.hasPrefix("Error: --\(setting.name) is ‘\(example.wrong)’; it must be"),
        "\(given.error)")
    }
  }

  @Test func commandsAndFilesHaveAllSettings() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try check(RecipeSettings.all, ["train"]) { "models: resnet20\ntraining: {\($0): '\($1)'}\n" }
    try check(ModelSettings.all, ["describe", "resnet20"]) { name, value in
      name == "replace"
        ? "models: resnet20\nreplace: '\(value)'\n" : "models: [{name: resnet20, \(name): '\(value)'}]\n"
    }
    try check(FieldSettings.all, ["field", "--conv", "shift"]) { "fields: {\($0): '\($1)'}\n" }
  }
}
