import Layers

/// Which convolutions of a network a kernel replaces.
package enum Replacement: String, Sendable, CaseIterable {
  /// Those with a window of more than one pixel, except the stem's.
  case spatial
  /// All except the stem's, as AdderNet does.
  case all
}

/// A network as plain data: what to build.
package protocol ModelDescription: Sendable {
  /// The model's name.
  var name: String { get set }
  /// Channels of the images; a network of several inputs has them one after the other.
  var inputChannels: Int { get }
  /// The number of classes, or of values in a regression.
  var classes: Int { get }
  /// Which convolutions a kernel takes the place of.
  var replacement: Replacement { get set }
  /// The rule for initial weights; nil for the model's own rules.
  var initialization: ChosenInitialization? { get set }
  /// The kernel that belongs to the model, as an item of `--conv`, if it is not `standard`.
  var ownKernel: String? { get }
  /// The parameter, in files, that has one value for each class.
  var classifier: String { get }
  /// Whether every pixel is classified, not the image.
  var isDense: Bool { get }
  /// What PyTorch calls this kind of network.
  var printedName: String { get }
  /// What was chosen besides the name, kernel, channels and classes and decides what the weights mean, as options of the
  /// command line; the value is empty where the option is to be left out.
  var variations: [(option: String, value: String)] { get }
  /// Whether λ · Σ w² of some of its weights belongs to its loss: then its recipe has no weight decay.
  var hasPenalties: Bool { get }
  /// The version of the network under this name, so that records of an earlier version are not used for this one.
  var revision: Int { get }

  /// The description as that of a residual network, if it is one.
  var residual: ResidualDescription? { get }

  /// The network's layers.
  func makeBody(_ net: NetworkBuilder) throws -> any Layer
}

extension ModelDescription {
  /// `standard`.
  package var ownKernel: String? { nil }
  /// As torchvision calls it most often.
  package var classifier: String { "fc.bias" }
  /// The image is.
  package var isDense: Bool { false }
  /// Which convolutions are replaced.
  package var variations: [(option: String, value: String)] { [("replace", replacement.rawValue)] }
  /// It is none.
  package var residual: ResidualDescription? { nil }
  /// None of them.
  package var hasPenalties: Bool { false }
  /// The first.
  package var revision: Int { 1 }
}

/// A network described by its name alone: only channels, classes and kernels can be varied.
struct FixedDescription: ModelDescription {
  var name: String
  let inputChannels: Int
  let classes: Int
  var replacement = Replacement.spatial
  var initialization: ChosenInitialization?
  let classifier: String
  let isDense: Bool
  let printedName: String
  var hasPenalties = false
  var revision = 1
  let body: @Sendable (NetworkBuilder) throws -> any Layer

  func makeBody(_ net: NetworkBuilder) throws -> any Layer { try body(net) }
}
