import Kernels
import Layers
import Tensors

/// Makes the named layers of a network, with a kernel where its description asks for one.
package struct NetworkBuilder {
  /// What is built.
  let description: any ModelDescription
  /// The path of the layers that are made: `features.3`.
  private var path = ""
  /// The kernel that replaces convolutions in this part of the network.
  private var kernel: KernelChoice
  private let standard: KernelChoice
  private let algorithm: String?
  /// The items that the algorithm is for.
  private let computed: Set<String>
  private let root: Random
  private let record = Record()

  /// Shared by all parts of a network.
  private final class Record { var items: [String: String] = [:] }

  init(
    _ description: any ModelDescription, kernel: KernelChoice, standard: KernelChoice, algorithm: String?,
    random: Random
  ) {
    self.description = description
    self.kernel = kernel
    self.standard = standard
    self.algorithm = algorithm
    computed = Set(kernel.parts.map(\.item))
    root = random
  }

  /// The item of `--conv` at each convolution's place, by its name.
  var items: [String: String] { record.items }

  /// The builder of a part.
  subscript(_ name: String) -> NetworkBuilder {
    var part = self
    part.path = fullName(name)
    return part
  }

  /// The same builder with the kernel of a block of a residual network.
  func with(_ kernel: KernelChoice) -> NetworkBuilder {
    var part = self
    part.kernel = kernel
    return part
  }

  /// The kernel of each block of a residual network, stage by stage.
  func kernels(of residual: ResidualDescription) throws -> [[KernelChoice]] { try residual.kernels(kernel) }

  private func fullName(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// Says that tables show this part as one layer, of the kernel of a convolution in it.
  func standsForAll(of name: String) { record.items[path] = record.items[fullName(name)] }

  /// The random numbers of a layer.
  func random(_ name: String) -> Random { root.split(fullName(name)) }

  /// A convolution that keeps the size apart from the stride, or the kernel that replaces it.
  ///
  /// - Parameters:
  ///   - padding: zeros on each side; nil for those that keep the size.
  ///   - start: the rule for the initial weights of a convolution, and with `pyTorch` for its bias; nil for the
  ///     layer's own rule.
  ///   - penalty: λ, if λ · Σ w² of the weights belongs to the loss.
  ///   - isFixed: whether no kernel replaces it, as for a stem.
  func convolution(
    _ name: String, _ inputs: Int, _ outputs: Int, window: Int = 1, stride: Int = 1, padding: Int? = nil,
    dilation: Int = 1, groups: Int = 1, bias: Bool = false, start: Initialization? = nil, penalty: Double = 0,
    isFixed: Bool = false
  ) throws -> NamedLayer {
    let place = try ConvolutionGeometry(
      inputChannels: inputs, outputChannels: outputs, kernel: Pair(window), stride: Pair(stride),
      padding: Padding(Pair(padding ?? dilation * (window / 2))), dilation: Pair(dilation), groups: groups)
    let isReplaced = !isFixed && (window > 1 || description.replacement == .all)
    let choice = isReplaced ? kernel : standard
    do {
      record.items[fullName(name)] = choice.item
      let site = Site(
        choice: choice, bias: bias, algorithm: computed.contains(choice.item) ? algorithm : nil,
        random: random(name))
      let layer = try site.layer(at: place)
      if let start { (layer as? any StartsByRule)?.start(by: start, random(name)) }
      if penalty > 0 { penalize(layer, penalty) }
      return (name, layer)
    } catch let error as WorkbenchError {
      throw WorkbenchError("\(fullName(name)) of \(description.name): \(error)")
    }
  }

  /// Gives the weights of a convolution, or of the kernel that replaces it, their penalty in the loss. Biases, positions and the
  /// attention of a wrapper have none.
  private func penalize(_ layer: any Layer, _ penalty: Double) {
    if let inner = (layer as? any WrapsKernel)?.wrapped { return penalize(inner, penalty) }
    for parameter in layer.ownState.map(\.parameter)
    where parameter.layout == .convolution && parameter.role != .position { parameter.penalty = penalty }
    for child in layer.children { penalize(child.layer, penalty) }
  }

  /// CBAM's attention on feature maps of some channels: a separate layer, not a wrapper around a kernel.
  func attention(_ name: String, channels: Int, reduction: Int) throws -> NamedLayer {
    (name, Sequential(try Attention.cbam(channels: channels, reduction: reduction, random: random(name))))
  }

  /// The linear layer that classifies.
  ///
  /// - Parameters:
  ///   - start: the rule for initial weights; nil for PyTorch's.
  ///   - zeroBias: whether the bias starts at zero, not as PyTorch's does.
  func classifier(_ name: String, _ inputs: Int, start: Initialization? = nil, zeroBias: Bool = false) throws
    -> NamedLayer
  {
    try Tensor.checkSize([inputs, description.classes], "The classifier's weight")
    var random = random(name)
    let layer = Linear(inputs: inputs, outputs: description.classes, random: &random)
    if let start {
      layer.weight.value = start.weights([1, 1, inputs, description.classes], using: &random)
        .reshaped([inputs, description.classes])
    }
    if zeroBias { layer.bias.value = Tensor(repeating: 0, [description.classes]) }
    return (name, layer)
  }

  func dropout(_ name: String, _ share: Double) -> NamedLayer {
    (name, Dropout(share, random: random(name)))
  }
}

/// A kernel for any place in a network.
private struct Site {
  let choice: KernelChoice
  let bias: Bool
  let algorithm: String?
  let random: Random

  /// The kernel's layer at a place. A kernel that cannot have a bias has none.
  ///
  /// Without padding a kernel may refuse, or give a smaller output than the convolution. Then it is padded to keep
  /// the size, and its output is cropped.
  func layer(at place: ConvolutionGeometry) throws -> any Layer {
    let own = Result { try make(place) }
    if case .success(let layer) = own, isAsLarge(layer, place) { return layer }
    let margin = Pair(
      place.kernel.height / 2 * place.dilation.height, place.kernel.width / 2 * place.dilation.width)
    let isOdd = place.kernel.height % 2 == 1 && place.kernel.width % 2 == 1
    guard place.padding == Padding(Pair(0)), place.stride == Pair(1), isOdd,
      let padded = try? place.with(padding: Padding(margin)), let layer = try? make(padded),
      isAsLarge(layer, padded)
    else { return try own.get() }
    return Sequential([("", layer), ("", Cropping(rows: margin.height, columns: margin.width))])
  }

  private func make(_ place: ConvolutionGeometry) throws -> any Layer {
    try choice.makeLayer(
      at: place, bias: bias && choice.takesBias(at: place), algorithm: algorithm, random: random)
  }

  /// Whether a layer gives an image of the size that the convolution would give.
  private func isAsLarge(_ layer: any Layer, _ place: ConvolutionGeometry) -> Bool {
    let image = FeatureShape(batch: 1, height: 64, width: 64, channels: place.inputChannels)
    guard let wanted = try? place.outputShape(for: image), let own = try? layer.outputShape(for: image) else {
      return true
    }
    return wanted == own
  }
}
