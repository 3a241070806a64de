import ArgumentParser
import Experiments
import Foundation
import Kernels
import Layers
import Learning
import Tensors

// Options of several commands, each declared once.

/// `--threads`.
struct ThreadOption: ParsableArguments {
  @Option(
    name: .customLong("threads"),
    help: ArgumentHelp("Threads; times depend on it, results do not.", valueName: "n"))
  var count = Processors.usable

  func validate() throws { try check(count, "--threads", 1...1024) }
}

extension ArgumentHelp {
  /// The help of `--conv` where it names several kernels.
  static let kernels = kernels(
    after: "Joined by +, as in shift+standard+adder, they make one network with a kernel for each stage.")

  /// The same with a sentence on joined kernels, or none.
  static func kernels(after sentence: String?) -> ArgumentHelp {
    ArgumentHelp(
      "Kernels, separated by commas, or all; see ‘experiment list’.\(sentence.map { " \($0)" } ?? "")",
      valueName: "names")
  }

  /// The help of `--conv` where it names one kernel for a model.
  static var kernel: ArgumentHelp {
    ArgumentHelp(
      "The kernel that replaces the model's convolutions (default: the model's own), or one for each stage or block, joined by +, as in shift+standard+adder.",
      valueName: "name")
  }

  /// The help of an option that sets one of each kernel that has it.
  static func ofKernels(_ option: any AnyKernelOption) -> ArgumentHelp {
    ArgumentHelp(
      "The option \(option.name) of all kernels that have it: \(option.help). Same as appending :\(option.name)=N.",
      valueName: "n")
  }

  /// The help of `--data`.
  static var data: ArgumentHelp {
    ArgumentHelp("digits, a task such as pathfinder, or NAME:DIR; see ‘experiment list’.", valueName: "data")
  }

  /// The help of `--tensorboard`.
  static var tensorboard: ArgumentHelp {
    ArgumentHelp("A folder for TensorBoard event files with losses, accuracies and rates.", valueName: "dir")
  }

  /// The help of `--csv`.
  static var rows: ArgumentHelp { ArgumentHelp("The file for the rows.", valueName: "file") }
}

/// Refuses a number out of range, as wrong usage.
func check(_ value: Int, _ name: String, _ range: ClosedRange<Int>) throws {
  guard range.contains(value) else {
    throw ValidationError("\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound).")
  }
}

/// Refuses a number outside a range, as wrong usage.
func check(_ value: Double, _ name: String, _ range: ClosedRange<Double>) throws {
  guard range.contains(value) else {
    throw ValidationError("\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound).")
  }
}

/// Refuses outputs of which two would be the same file, as wrong usage.
func check(outputs: [(option: String, path: String?)]) throws {
  let given = outputs.compactMap { output in output.path.map { (output.option, $0) } }
  for (index, (option, path)) in given.enumerated() {
    guard let (other, _) = given[..<index].first(where: { AtomicFile.areSame($0.1, path) }) else { continue }
    throw ValidationError("\(other) and \(option) go to the same file, \(path); give each its own.")
  }
}

/// `on` or `off` on the command line.
enum Switch: String, CaseIterable, ExpressibleByArgument { case on, off }

/// A size on the command line: `N` or `HxW`.
struct SizeArgument: ExpressibleByArgument {
  let pair: Pair

  init(pair: Pair) { self.pair = pair }

  init?(argument: String) {
    guard let pair = Pair(text: argument) else { return nil }
    self.pair = pair
  }

  var defaultValueDescription: String { pair.description }
}

/// A padding on the command line: `N`, `HxW` or `TOP,LEFT,BOTTOM,RIGHT`.
struct PaddingArgument: ExpressibleByArgument {
  let padding: Padding

  init?(argument: String) {
    if let pair = Pair(text: argument) {
      padding = Padding(pair)
      return
    }
    let sides = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Pair(text: String($0))
    }
    guard sides.count == 4, let top = sides[0], let left = sides[1], let bottom = sides[2],
      let right = sides[3],
      !argument.contains("x")
    else { return nil }
    padding = Padding(top: top.height, left: left.height, bottom: bottom.height, right: right.height)
  }
}

/// A size of images on the command line: `CxHxW`.
struct ImageArgument: ExpressibleByArgument {
  let shape: FeatureShape

  init?(argument: String) {
    let sizes = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard sizes.count == 3, sizes.allSatisfy({ (1...65536).contains($0) }) else { return nil }
    shape = FeatureShape(batch: 1, height: sizes[1], width: sizes[2], channels: sizes[0])
  }
}
