import Experiments
import Foundation
import Tensors
import Testing

/// Packages that `new-kernel` makes. CI builds one and runs its checker.
struct KernelTemplateTests {
  @Test(arguments: [
    "", "Gated", "2d", "a--b", "-a", "a-", "a b", "../a", "gated\n", "all", "adder", "experiment", "layers",
    String(repeating: "a", count: 41),
  ]) func namesThatCannotBeAreRefused(_ name: String) {
    #expect(KernelTemplate.refusal(of: name, known: ["adder"]) != nil)
  }

  @Test func aPackageIsWrittenOnce() throws {
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("template-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = place.appendingPathComponent("gated-2")
    #expect(KernelTemplate.refusal(of: "gated-2", known: ["adder"]) == nil)
    let template = KernelTemplate(name: "gated-2", workbench: "/a \"place\"")
    try template.write(to: folder.path)
    func text(_ path: String) throws -> String {
      try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
    }
    #expect(try text("Package.swift").contains(#"path: "/a \"place\"""#))
    #expect(try text("Sources/Gated2Kernel/Gated2Convolution.swift").contains(#"let name = "gated-2""#))
    #expect(try text("README.md").contains("swift run gated-2 check"))
    #expect(throws: WorkbenchError.self) { try template.write(to: folder.path) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["gated-2"])
  }
}
