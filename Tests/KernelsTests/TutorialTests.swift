import Foundation
import Testing

/// Code on pages is code that is compiled: blocks of the pages are parts of the example package's files.
struct TutorialTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  @Test(arguments: [
    ("Sources/Kernels/Kernels.docc/ASamplingOfYourOwn.md", "Reflected", 10), ("README.md", "Cross", 1),
  ])
  func blocksAreTheExamples(page: String, example: String, count: Int) throws {
    let source = try text("experiments/own-kernel/Sources/own-kernel/\(example).swift")
      .replacing("import Kernels\n", with: "")
    let blocks = try text(page).split(separator: "```swift\n", omittingEmptySubsequences: false).dropFirst()
      .map { $0.prefix(upTo: $0.firstRange(of: "```")?.lowerBound ?? $0.endIndex) }
    #expect(blocks.count == count)
    for block in blocks { #expect(source.contains(block), "\(page):\n\(block)") }
  }
}
