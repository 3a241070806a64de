import ArgumentParser
import Experiments
import Foundation
import Kernels
import Tensors

/// `experiment new-kernel`: a package with a kernel of one's own to start from.
struct NewKernelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new-kernel",
    abstract: "Make a package with a kernel of your own: code, test and README.",
    discussion: """
      Example: swift run experiment new-kernel mixed && cd mixed && swift run mixed check

      The kernel is a k×k convolution, a ReLU and a 1×1 convolution. The README says what to change, and how to compare the kernel with the others. The first build takes some minutes, because it builds the workbench again for the package.
      """)

  @Argument(
    help: ArgumentHelp(
      "The kernel's name for --conv, and the new folder: small letters, digits and hyphens.",
      valueName: "name"))
  var name: String
  @Option(
    help: ArgumentHelp(
      "The folder of the workbench, on which the package depends (default: where this program was built).",
      valueName: "folder"))
  var workbench: String?

  func validate() throws {
    if let refusal = KernelTemplate.refusal(of: name, known: ExperimentCommand.registry.kernels.map(\.name)) {
      throw ValidationError(refusal)
    }
  }

  func run() throws {
    try KernelTemplate(name: name, workbench: workbenchFolder()).write(to: name)
    print("The package is in \(name); its README.md says what to change.")
    print("Next: cd \(name) && swift run \(name) check")
  }

  /// Its absolute path.
  private func workbenchFolder() throws -> String {
    let source = URL(fileURLWithPath: #filePath)
    let folder =
      workbench.map { URL(fileURLWithPath: $0) }
      ?? source.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let manifest = try? String(contentsOf: folder.appendingPathComponent("Package.swift"), encoding: .utf8)
    guard let manifest, manifest.contains("name: \"convolution-workbench\"") else {
      throw WorkbenchError(
        "\(folder.path) is not the workbench's folder; give the folder of your clone with --workbench.")
    }
    return folder.standardizedFileURL.path
  }
}
