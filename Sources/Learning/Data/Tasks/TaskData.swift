import Dispatch
import Kernels
import Tensors

/// The options of every task, and the data set made from its images.
enum TaskData {
  static let size = KernelOption("size", .whole(16...256), initial: 32, help: "pixels a side")
  static let train = KernelOption("train", .count, initial: 5000, help: "images to train on")
  static let validation = KernelOption(
    "validation", .whole(0...1 << 20), initial: 1000, help: "images to choose by")
  static let test = KernelOption("test", .count, initial: 10_000, help: "images to test with")
  static let seed = KernelOption(
    "seed", .whole(0...Int(Int32.max)), initial: 0, help: "the seed of the images")
  static let options: [any AnyKernelOption] = [size, train, validation, test, seed]

  /// More pixels than that, 1 GiB of them, are refused.
  static let largest = 1 << 28

  /// Images of one split, not normalised yet, `[count, size, size, 1]`, and what is asked about them.
  ///
  /// Each image has random numbers of its own, from the seed, the task's name, the split and its number: it is the same
  /// whatever the number of threads, and however many there are. Labels come in turn, so that classes are equally frequent.
  static func images<Task: ImageTask>(
    _ task: Task, _ split: Dataset.Split, count: Int, size: Int, seed: Int
  ) throws -> Examples {
    let start = Random(seed: UInt64(seed)).split(Task.facts.name).split(split.rawValue).position
    let classes = task.classes.count, values = Task.isRegression ? classes : 0
    let pixels = size * size
    var images = Tensor(uninitialized: [count, size, size, 1])
    var targets = Array(repeating: Float(0), count: count * values)
    images.withMutablePointer { images in
      targets.withUnsafeMutableBufferPointer { targets in
        nonisolated(unsafe) let images = images, targets = targets
        // Pieces have a fixed size, so it does not matter which thread draws them.
        let piece = 64
        DispatchQueue.concurrentPerform(iterations: (count + piece - 1) / piece) { number in
          var canvas = Canvas(size: size)
          for index in number * piece..<min((number + 1) * piece, count) {
            var random = Random(seed: start &+ UInt64(index))
            canvas.fill(0)
            let answer = task.draw(index % classes, on: &canvas, using: &random)
            canvas.write(to: images + index * pixels)
            for value in 0..<values { targets[index * values + value] = answer[value] }
          }
        }
      }
    }
    let source = "\(Task.facts.name) \(split.rawValue)"
    return Task.isRegression
      ? try Examples(images: images, values: targets, source: source)
      : try Examples(
        images: images, labels: (0..<count).map { $0 % classes }, classes: classes, source: source)
  }

  /// The data set of a task.
  static func load<Task: ImageTask>(_: Task.Type, _ item: String, _ options: KernelOptions) throws -> Dataset
  {
    let size = options[size], seed = options[seed]
    let counts: [Dataset.Split: Int] = [
      .train: options[train], .validation: options[validation], .test: options[test],
    ]
    let pixels = counts.values.reduce(0, +) * size * size
    guard pixels <= largest else {
      throw WorkbenchError(
        "\(item) would have \(pixels) pixels in all, more than the limit of \(largest); choose fewer or smaller images."
      )
    }
    func examples(_ split: Dataset.Split) throws -> Examples {
      try images(
        Task(options, size: size, split: split), split, count: counts[split] ?? 0, size: size, seed: seed)
    }
    return try Dataset(
      name: item, classes: Task(options, size: size, split: .train).classes.count, train: examples(.train),
      validation: options[validation] > 0 ? examples(.validation) : nil, test: examples(.test))
  }
}
