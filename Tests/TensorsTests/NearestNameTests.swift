import Tensors
import Testing

/// Slips in names.
struct NearestNameTests {
  static let names = ["run", "list", "digits", "mnist", "resnet20", "resnet110", "squeeze-excite"]

  @Test(arguments: [
    ("rum", "run"), ("lst", "list"), ("mnsit", "mnist"), ("resnet_20", "resnet20"), ("RESNET20", "resnet20"),
    ("sqeeze-exite", "squeeze-excite"), ("digit", "digits"),
  ]) func slipsAreRecognised(_ word: String, _ name: String) {
    #expect(nearestName(to: word, among: Self.names) == name)
  }

  /// Nothing near, or too short to tell, or too long to be a name.
  @Test(arguments: ["", "r", "ru", "vgg", "cifar", "resnet", String(repeating: "a", count: 100_000)])
  func othersAreNot(_ word: String) {
    #expect(nearestName(to: word, among: Self.names) == nil)
    #expect(nearestName(to: word, among: []) == nil)
  }

  @Test func sentencesEnd() {
    #expect(suggestion(for: "rum", among: Self.names) == "did you mean ‘run’?")
    #expect(suggestion(for: "x", among: ["a", "b"]) == "choose from a, b.")
  }
}
