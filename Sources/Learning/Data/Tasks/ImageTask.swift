import Kernels
import Tensors

/// The facts about a task.
package struct TaskFacts: Sendable {
  /// The name of the item of `--data`.
  package let name: String
  /// One line: what is asked.
  package let summary: String
  /// How an image is made, in sentences.
  package let definition: String
  /// Where the idea comes from.
  package let paper: String
  /// What it tests.
  package let about: String
  /// Why every image has a right answer, or nearly every one.
  package let solution: String

  /// All of it, a line for each.
  package var text: String {
    "\(definition)\nA test of \(about).\n100 %: \(solution)\nPaper: \(paper)"
  }
}

/// Images generated from a seed, with known answers: one task for a network.
///
/// A type for each task draws one image from a label and a source of random numbers; ``DataSource`` makes data sets
/// of it.
protocol ImageTask: Sendable {
  static var facts: TaskFacts { get }
  /// Its own options, besides those of every task.
  static var options: [any AnyKernelOption] { get }
  /// Whether the answer is values, not a class.
  static var isRegression: Bool { get }

  /// The task for images of `size` pixels a side.
  ///
  /// - Throws: a ``WorkbenchError`` if the options do not go together.
  init(_ options: KernelOptions, size: Int, split: Dataset.Split) throws

  /// The names of the classes, or of the values of a regression.
  var classes: [String] { get }

  /// Draws an image on a black canvas.
  ///
  /// - Parameter label: its class; 0 in a regression.
  /// - Returns: the values that are asked for; none in a classification.
  func draw(_ label: Int, on canvas: inout Canvas, using random: inout Random) -> [Float]
}

extension ImageTask {
  static var isRegression: Bool { false }

  /// The noise, as an option that several tasks have.
  static func noise(_ initial: Double) -> KernelOption<Double> {
    KernelOption(
      "noise", .number(0...1), initial: initial,
      help: "the standard deviation of the pixels' noise; 1 is the range from black to white")
  }
}
