import Foundation
import Kernels
import Tensors

/// A kind of data that `--data` can name.
package struct DataSource: Sendable {
  /// The name.
  package let name: String
  /// One line: what it is.
  package let summary: String
  /// The task, if its images are made in the process.
  private(set) var task: (any ImageTask.Type)?
  /// Whether the folder of its files follows the name, as in `mnist:DIR`.
  package private(set) var hasFolder = false
  /// The options that may follow the name, as in `digits:split=1437`.
  package private(set) var options: [any AnyKernelOption] = []
  /// Makes the data set. `item` is its name in tables; the folder is empty where there is none.
  fileprivate let load:
    @Sendable (_ item: String, _ folder: String, _ options: KernelOptions) throws -> Dataset

  /// Every kind, in the order of lists.
  package static let all =
    [
      DataSource(
        name: "digits", summary: "1,797 handwritten digits of 8×8 pixels, in this package",
        options: [digitsSplit]
      ) { try .digits($0, split: $2[digitsSplit]) },
      DataSource(name: "mnist", summary: "MNIST's four files, or others of that format", hasFolder: true) {
        item, folder, _ in try .mnist(item, folder)
      },
      DataSource(name: "cifar10", summary: "CIFAR-10's binary files", hasFolder: true) {
        item, folder, _ in try .cifar10(item, folder)
      },
      DataSource(name: "npy", summary: "your own arrays", hasFolder: true) {
        item, folder, _ in try .npy(item, folder)
      },
      DataSource(name: "synthetic", summary: "ten classes of moved, noisy patterns of 16×16 pixels") {
        _, _, _ in try .synthetic()
      },
      DataSource(name: "spots", summary: "a regression: three images of 42×42 pixels, each with a spot") {
        _, _, _ in try .spots()
      },
      DataSource(
        name: "images", summary: "your own PNG, PGM or PPM files, a folder for each class", hasFolder: true
      ) { item, folder, _ in try .images(item, folder) },
    ] + tasks

  /// The tasks whose images are made in the process.
  package static let tasks = [
    DataSource(WarpedDigits.self), DataSource(ClutteredDigits.self), DataSource(Pathfinder.self),
    DataSource(SameDifferent.self), DataSource(Sprites.self), DataSource(Scales.self),
    DataSource(Gratings.self),
    DataSource(Textures.self), DataSource(Counting.self), DataSource(Position.self),
  ]

  private static let digitsSplit = KernelOption(
    "split", .count, initial: 1415, help: "how many of the images, from the first on, are for training")

  /// The name with what follows it, such as `mnist:DIR`.
  package var form: String { hasFolder ? "\(name):DIR" : name }
}

extension DataSource {
  /// What is to be known of a task; nil of other data.
  package var facts: TaskFacts? { task?.facts }

  /// What is to be known of the task that an item names; nil if it names none.
  package static func facts(of item: String) -> TaskFacts? {
    tasks.first { $0.name == item.prefix { $0 != ":" } }?.facts
  }

  private init<Task: ImageTask>(_ task: Task.Type) {
    self.init(
      name: task.facts.name, summary: task.facts.summary, task: task,
      options: task.options + TaskData.options
    ) { item, _, options in try TaskData.load(task, item, options) }
  }
}

extension Dataset {
  /// What ``load(_:)`` takes.
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
        "The data '\(item)' is unknown; \(form.map { "did you mean ‘\($0)’?" } ?? "choose \(choices).")")
    }
    if source.hasFolder {
      // A folder's name may hold colons.
      let folder = (parts.dropFirst().joined(separator: ":") as NSString).expandingTildeInPath
      guard !folder.isEmpty else {
        throw WorkbenchError(
          "The data '\(source.name)' needs the folder of its files; write --data \(source.form).")
      }
      return try source.load(item, folder, KernelOptions())
    }
    guard parts.dropFirst().allSatisfy({ $0.contains("=") }) else {
      let example = source.options.first.map {
        ", or with an option, \(source.name):\($0.name)=\($0.initialText)"
      }
      throw WorkbenchError(
        "The data '\(source.name)' takes no folder; write --data \(source.name)\(example ?? "").")
    }
    let options = try KernelOptions(
      KernelOptions.pairs(parts.dropFirst(), of: item), among: source.options, of: source.name)
    func text(_ own: [any AnyKernelOption]) -> String {
      ([source.name] + own.map { "\($0.name)=\(options.text(of: $0))" }).joined(separator: ":")
    }
    // The same data have the same name, however they were asked for.
    let unusual = source.options.filter { options.text(of: $0) != $0.initialText }
    var data = try source.load(text(unusual), "", options)
    data.definition = text(source.options)
    return data
  }
}
