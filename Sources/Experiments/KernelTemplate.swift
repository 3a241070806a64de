import Foundation
import Tensors

/// The files of a package with one kernel.
package struct KernelTemplate {
  private let name: String, workbench: String

  /// A package for a kernel called `name`, which depends on the workbench in the folder `workbench`.
  package init(name: String, workbench: String) {
    self.name = name
    self.workbench = workbench
  }

  /// Why a kernel cannot have a name; nil if it can.
  ///
  /// - Parameter known: the kernels that there are.
  package static func refusal(of name: String, known: [String]) -> String? {
    let form = #/[a-z][a-z0-9]*(?:-[a-z0-9]+)*/#.matchingSemantics(.unicodeScalar)
    if name.utf8.count > 40 || name.wholeMatch(of: form) == nil {
      return
        "‘\(name)’ cannot be a kernel's name; use at most 40 small letters, digits and single hyphens, beginning with a letter."
    }
    if known.contains(name) || name == "all" {
      return "There is a kernel ‘\(name)’ already; choose another name."
    }
    return reserved.contains(name)
      ? "‘\(name)’ is the name of a part of the workbench; choose another name." : nil
  }

  /// Targets of the workbench: a package has each name once.
  private static let reserved: Set<String> = [
    "experiment", "command", "experiments", "learning", "networks", "kernels", "layers", "compute", "tensors",
    "conformance", "fuzz",
  ]

  /// Writes the package into a folder that does not exist yet: all of it, or nothing.
  package func write(to folder: String) throws {
    let target = URL(fileURLWithPath: folder), manager = FileManager.default
    guard !manager.fileExists(atPath: folder) else {
      throw WorkbenchError("There is a \(folder) here already; choose another name, or another place.")
    }
    let temporary = target.deletingLastPathComponent()
      .appendingPathComponent(".\(target.lastPathComponent)-\(UUID().uuidString).partial")
    do {
      for (path, text) in files {
        let file = temporary.appendingPathComponent(path)
        try manager.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try AtomicFile.write(Data(text.utf8), to: file.path)
      }
      try manager.moveItem(at: temporary, to: target)
    } catch {
      try? manager.removeItem(at: temporary)
      if error is WorkbenchError { throw error }
      throw WorkbenchError("\(folder) cannot be written: \(error.localizedDescription)")
    }
  }

  /// `mixed-pool` as a part of Swift's names: `MixedPool`.
  private var stem: String {
    name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
  private var type: String { "\(stem)Convolution" }
  private var module: String { "\(stem)Kernel" }

  /// A text as Swift writes it in quotes.
  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  /// The paths and their texts.
  private var files: [(path: String, text: String)] {
    [
      (".gitignore", ".build/\nexperiment-output/\n"), ("Package.swift", manifest), ("README.md", readme),
      ("Sources/\(module)/\(type).swift", kernel), ("Sources/\(name)/main.swift", main),
      ("Tests/\(module)Tests/\(type)Tests.swift", test),
    ]
  }

  private var manifest: String {
    """
    // swift-tools-version: 6.2
    import PackageDescription

    let workbench = Target.Dependency.product(name: "Workbench", package: "convolution-workbench")

    let package = Package(
      name: "\(name)",
      platforms: [.macOS(.v15)],
      dependencies: [.package(name: "convolution-workbench", path: \(Self.quoted(workbench)))],
      targets: [
        .target(name: "\(module)", dependencies: [workbench]),
        .executableTarget(name: "\(name)", dependencies: ["\(module)", workbench]),
        .testTarget(name: "\(module)Tests", dependencies: ["\(module)", workbench]),
      ],
      swiftLanguageModes: [.v6]
    )

    """
  }

  private var main: String {
    """
    import Command
    import \(module)

    // `\(name) check` runs the conformance checker on the kernel; everything else is the usual command with this kernel.
    ExperimentCommand.main(own: [\(type)()])

    """
  }

  private var kernel: String {
    """
    import Kernels
    import Layers

    /// A k×k convolution, a ReLU and a 1×1 convolution.
    public struct \(type): ComposedKernel {
      public let name = "\(name)"
      public let summary = "a k×k convolution, ReLU, a 1×1 convolution"
      public let formula = "y[p, o] = Σ over m of relu(Σ over t, c of x[p·s + t, c] · w[t, c, m]) · v[m, o]"
      public let paper = "your own"

      public init() {}

      /// The layers for a place in a network: the site has channels, window, stride, padding, dilation, groups and bias.
      public func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
        let outputs = site.geometry.outputChannels
        let point = try ConvolutionGeometry(inputChannels: outputs, outputChannels: outputs, kernel: Pair(1))
        return ComposedLayer(
          site,
          [
            try site.convolution("spatial", site.geometry),
            ("relu", ReLU()),
            try site.convolution("point", point, bias: site.bias),
          ])
      }
    }

    """
  }

  private var test: String {
    """
    import Conformance
    import Kernels
    import Layers
    import Testing

    @testable import \(module)

    struct \(type)Tests {
      /// Forward and backward, every algorithm, on awkward shapes, against the definition in double precision.
      @Test func isWhatItsDefinitionSays() throws {
        var conformance = Conformance()
        let choice = try KernelRegistry(KernelRegistry.builtIn.kernels + [\(type)()]).choice("\(name)")
        conformance.check(choice, cases: try ConformanceCase.standardCases())
        #expect(conformance.failures == [])
        #expect(conformance.checked > 0)
      }

      /// 3×3·8·16 weights and 16·16.
      @Test func hasTheParametersOfBothConvolutions() throws {
        let geometry = try ConvolutionGeometry(
          inputChannels: 8, outputChannels: 16, kernel: Pair(3), padding: Padding(Pair(1)))
        let layer = try \(type)().makeLayer(KernelSite(geometry: geometry))
        #expect(layer.parameterCount == 9 * 8 * 16 + 16 * 16)
      }
    }

    """
  }

  private var readme: String {
    """
    # \(name)

    A kernel for the convolution workbench: a k×k convolution, a ReLU and a 1×1 convolution, to start from.

        swift run \(name) check
        swift test
        swift run \(name) --conv \(name)
        swift run \(name) bench --conv \(name),dilated --problem mb1_ic64ih56oc64oh56kh3ph1
        swift run \(name) train resnet20 --conv \(name) --epochs 2 --save net.safetensors
        swift run \(name) export resnet20 --conv \(name) --weights net.safetensors --input 1x8x8 --output net.onnx

    `check` compares every algorithm with the definition, forward and backward, on awkward shapes; so does the test.
    The third line compares the kernel with the standard convolution. The first build takes some minutes: it builds the
    workbench for this package. `Package.swift` says where that is; change the path there if you move it.

    ## What to change
    - `Sources/\(module)/\(type).swift` is the kernel. `makeLayer` puts layers together: `Sequential`, `Branches`,
      `Residual`, `Gate`, and convolutions of the place's geometry (`site.convolution`). Backward passes, counts, files of
      weights and ONNX follow from the layers.
    - `summary`, `formula` and `paper` describe it: `swift run \(name) list` shows them.
    - Options after the name are declared in a list `options`, as in the workbench's
      `Sources/Kernels/Dilated/Dilated.swift`.
    - For a layer, a sampling or an algorithm of your own, see the workbench's `experiments/own-kernel`.
    - `Tests/\(module)Tests` checks it. Add what you know about your kernel: its number of parameters, a paper's values.

    """
  }
}
