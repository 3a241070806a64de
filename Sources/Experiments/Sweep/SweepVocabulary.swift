import Kernels
import Learning
import Networks

/// What a sweep file can name beside its own keys: the kernels and options of the command that reads it, so that files
/// and command line have the same words, defaults and limits.
public struct SweepVocabulary: Sendable {
  /// How an option's value is written in a file and on the command line.
  public enum Form: Sendable {
    /// A single value.
    case value
    /// A list, joined by commas on the command line.
    case commaList
    /// A list of numbers, one argument each.
    case numbers
    /// `true` or `false`: `--name` or `--no-name`, or nothing where there is no negation.
    case flag(negatable: Bool)
  }

  /// An option by its name on the command line, without dashes.
  public struct Option: Sendable {
    /// The key in a file.
    public let name: String
    /// How its value is written.
    public let form: Form

    /// An option.
    public init(_ name: String, _ form: Form = .value) {
      self.name = name
      self.form = form
    }
  }

  /// The kernels.
  public var registry: KernelRegistry
  /// What can be varied in a model, beside which convolutions are replaced.
  public var modelOptions: [Option]
  /// A model by name, varied by options as on the command line, for data of so many channels and classes.
  public var model:
    @Sendable (_ name: String, _ arguments: [String], _ channels: Int, _ classes: Int) throws ->
      any ModelDescription
  /// What a recipe consists of.
  public var recipeOptions: [Option]
  /// A recipe by options as on the command line.
  public var recipe: @Sendable (_ arguments: [String]) throws -> RecipeMaker
  /// The recipe for a classification or a regression, by a model with penalties of its own or without: they start from
  /// other defaults.
  public typealias RecipeMaker = @Sendable (_ isRegression: Bool, _ hasPenalties: Bool) -> Recipe

  /// A vocabulary.
  public init(
    registry: KernelRegistry, modelOptions: [Option],
    model: @escaping @Sendable (String, [String], Int, Int) throws -> any ModelDescription,
    recipeOptions: [Option], recipe: @escaping @Sendable ([String]) throws -> RecipeMaker
  ) {
    self.registry = registry
    self.modelOptions = modelOptions
    self.model = model
    self.recipeOptions = recipeOptions
    self.recipe = recipe
  }
}

extension SweepVocabulary.Option {
  /// The option as arguments of the command line.
  func arguments(_ value: YAMLValue) throws -> [String] {
    func texts() throws -> [String] { try value.elements.map { try $0.text(name) } }
    switch form {
    case .value: return ["--\(name)=\(try value.text(name))"]
    case .commaList: return ["--\(name)=\(try texts().joined(separator: ","))"]
    case .numbers:
      // Anything else could be another option.
      let numbers = try value.elements.map { element in
        let text = try element.text(name)
        guard let number = Double(text), number.isFinite, number.sign == .plus else {
          throw element.error("\(name) holds ‘\(text)’; it must be a list of numbers of 0 or more.")
        }
        return text
      }
      return ["--\(name)"] + numbers
    case .flag(let negatable):
      return try value.truth(name) ? ["--\(name)"] : negatable ? ["--no-\(name)"] : []
    }
  }
}
