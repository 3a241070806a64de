import Foundation
import Kernels
import Tensors

/// A kind of data that `--data` can name.
package struct DataSource: Sendable {
  /// The name.
  package let name: String
  /// One line: what it is.
  package let summary: String
  /// The task, if its images are generated.
  private(set) var task: (any ImageTask.Type)?
  /// Whether the folder of its files follows the name, as in `mnist:DIR`.
  package private(set) var hasFolder = false
  /// The options that may follow the name, as in `digits:split=1437`.
  package private(set) var options: [any AnyKernelOption] = []
  /// The default of an option; for most its initial value.
  private(set) var usual: @Sendable (any AnyKernelOption, KernelOptions) -> String = { option, _ in
    option.initialText
  }
  /// Makes the data set. `item` is its name in tables; the folder is empty if there is none.
  fileprivate let load:
    @Sendable (_ item: String, _ folder: String, _ options: KernelOptions) throws -> Dataset

  /// Every kind, in the order of lists.
  package static let all =
    [
      digits,
      DataSource(
        name: "mnist", summary: "MNIST's four files, or others in that format", hasFolder: true,
        options: [heldOut]
      ) { try .mnist($0, $1, validation: $2[heldOut]) },
      DataSource(
        name: "cifar10", summary: "CIFAR-10's binary files", hasFolder: true, options: [heldOut]
      ) { try .cifar10($0, $1, validation: $2[heldOut]) },
      DataSource(
        name: "cifar100", summary: "CIFAR-100's binary files, with the 100 fine labels", hasFolder: true,
        options: [heldOut]
      ) { try .cifar100($0, $1, validation: $2[heldOut]) },
      DataSource(
        name: "npy", summary: "your own arrays", hasFolder: true, options: [heldOut]
      ) { try .npy($0, $1, validation: $2[heldOut]) },
      DataSource(
        name: "synthetic", summary: "ten classes of shifted, noisy patterns of 16×16 pixels",
        options: [syntheticValidation]
      ) { try .synthetic(validation: $2[syntheticValidation]) },
      DataSource(
        name: "spots", summary: "a regression: three images of 42×42 pixels, each with a spot",
        options: [spotsValidation]
      ) { try .spots(validation: $2[spotsValidation]) },
      DataSource(
        name: "images", summary: "your own PNG, PGM or PPM files, a folder for each class", hasFolder: true,
        options: [heldOut]
      ) { try .images($0, $1, validation: $2[heldOut]) },
    ] + tasks

  /// The tasks whose images are generated.
  package static let tasks = [
    DataSource(WarpedDigits.self), DataSource(ClutteredDigits.self), DataSource(Pathfinder.self),
    DataSource(SameDifferent.self), DataSource(Sprites.self), DataSource(Scales.self),
    DataSource(Gratings.self), DataSource(Textures.self), DataSource(Counting.self),
    DataSource(Position.self),
  ]

  private static let digits = DataSource(
    name: "digits", summary: "1,797 handwritten digits of 8×8 pixels, in this package",
    options: [digitsSplit, digitsValidation],
    usual: { option, options in
      // Other splits are those of earlier versions, which had no validation images.
      option.name == digitsValidation.name && options[digitsSplit] != digitsSplit.initial
        ? "0" : option.initialText
    }
  ) { item, _, options in
    let hasValidation = options.isGiven(digitsValidation) || options[digitsSplit] == digitsSplit.initial
    return try .digits(
      item, split: options[digitsSplit], validation: hasValidation ? options[digitsValidation] : 0)
  }

  private static let digitsSplit = KernelOption(
    "split", .count, initial: 1415,
    help: "how many of the images, from the first on, are for training and validation")
  private static let digitsValidation = KernelOption(
    "validation", .whole(0...1 << 20), initial: 258,
    help: "how many of these, up to the split, are for validation; 0 if another split is given")
  private static let syntheticValidation = generatedValidation(250)
  private static let spotsValidation = generatedValidation(500)

  private static func generatedValidation(_ count: Int) -> KernelOption<Int> {
    KernelOption(
      "validation", .whole(0...1 << 16), initial: count, help: "how many images are generated for validation")
  }

  /// The number of a file's training images for validation; nil for a tenth.
  private static let heldOut = KernelOption<Int?>(
    "validation",
    SettingForm(
      "n", "a whole number from 0 to \(1 << 20), or tenth", write: { $0.map(String.init) ?? "tenth" }
    ) {
      $0 == "tenth" ? .some(nil) : SettingForm<Int>.whole(0...1 << 20).value($0).map { .some($0) }
    }, initial: nil,
    help: "how many of the training images are for validation, the last of each class")

  /// The name with what follows it, such as `mnist:DIR`.
  package var form: String { hasFolder ? "\(name):DIR" : name }
}

extension DataSource {
  /// The item of the main job: a task on which operators differ, small enough to train on within a minute.
  package static let mainJob = "warped-digits:size=16:train=1500:validation=300:test=2000"

  /// The main job's passes over the training data of an item: fewer of a task, whose images are larger than the digits.
  package static func epochs(of item: String) -> Int { facts(of: item) == nil ? 15 : 6 }

  /// The main job's rate on a classification among the tasks, on which it was chosen (results/recipe); nil for the default
  /// of other data.
  package static func rate(of item: String) -> Double? {
    task(of: item)?.task?.isRegression == false ? 0.05 : nil
  }

  /// The facts about a task; nil for other data.
  package var facts: TaskFacts? { task?.facts }

  /// How many answers are right by chance, in percent, of a task with its default options; nil without classes.
  package var chance: Double? {
    guard let task, !task.isRegression,
      let options = try? KernelOptions(KernelOptions.pairs([], of: name), among: options, of: name),
      let drawn = try? task.init(options, size: 32, split: .train)
    else { return nil }
    return 100 / Double(drawn.classes.count)
  }

  /// The facts about the task that an item names; nil if it names none.
  package static func facts(of item: String) -> TaskFacts? { task(of: item)?.facts }

  private static func task(of item: String) -> DataSource? {
    tasks.first { $0.name == item.prefix { $0 != ":" } }
  }

  private init<Task: ImageTask>(_ task: Task.Type) {
    self.init(
      name: task.facts.name, summary: task.facts.summary, task: task,
      options: task.options + TaskData.options
    ) { item, _, options in try TaskData.load(task, item, options) }
  }
}

extension Dataset {
  /// The items that ``load(_:)`` accepts.
  package static let choices =
    DataSource.all.dropLast().map(\.form).joined(separator: ", ") + " or " + (DataSource.all.last?.form ?? "")

  /// Loads the data set that an item of `--data` names: a name of ``choices`` with the folder of its files, or with
  /// options as `name:key=value`.
  ///
  /// - Throws: a ``WorkbenchError`` if the item is not understood, or a file is missing or refused.
  package static func load(_ item: String) throws -> Dataset {
    let parts = item.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard let source = DataSource.all.first(where: { $0.name == parts[0] }) else {
      let near = nearestName(to: parts[0], among: DataSource.all.map(\.name))
      let form = DataSource.all.first { $0.name == near }?.form
      throw WorkbenchError(
        "The data ‘\(item)’ is unknown; \(form.map { "did you mean ‘\($0)’?" } ?? "‘experiment list’ shows all.")"
      )
    }
    var own = Array(parts.dropFirst()), folder = ""
    if source.hasFolder {
      // A folder's name may hold colons.
      own = own.reversed().prefix { part in source.options.contains { part.hasPrefix("\($0.name)=") } }
        .reversed()
      folder = parts[1..<parts.count - own.count].joined(separator: ":")
      guard !folder.isEmpty else {
        throw WorkbenchError(
          "The data '\(source.name)' needs the folder of its files; write --data \(source.form).")
      }
    }
    guard own.allSatisfy({ $0.contains("=") }) else {
      let example = source.options.first.map {
        ", or with an option, \(source.name):\($0.name)=\($0.initialText)"
      }
      throw WorkbenchError(
        "The data '\(source.name)' takes no folder; write --data \(source.name)\(example ?? "").")
    }
    let options = try KernelOptions(
      KernelOptions.pairs(own, of: item), among: source.options, of: source.name)
    let plain = source.hasFolder ? "\(source.name):\(folder)" : source.name
    func text(_ option: any AnyKernelOption) -> String {
      let usual = source.usual(option, options)
      return options.isGiven(option) ? option.canonical(options.text(of: option)) ?? usual : usual
    }
    // The canonical name of the data.
    let unusual = source.options.filter { text($0) != source.usual($0, options) }
    let name = ([plain] + unusual.map { "\($0.name)=\(text($0))" }).joined(separator: ":")
    var data = try source.load(name, (folder as NSString).expandingTildeInPath, options)
    let all = source.options.map { option in
      "\(option.name)=\(option.name == "validation" ? "\(data.validation?.count ?? 0)" : text(option))"
    }
    data.name = name
    data.definition = ([plain] + all).joined(separator: ":")
    return data
  }
}
