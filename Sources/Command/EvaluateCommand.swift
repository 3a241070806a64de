import ArgumentParser
import Experiments
import Layers
import Learning
import Networks
import Tensors

/// `experiment evaluate`: how well given weights do on a data set.
struct EvaluateCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Test a model with given weights on a data set: accuracy, loss, calibration, confusion.",
    discussion: """
      Example: swift run experiment train resnet20 --epochs 2 --save evaluated.safetensors && swift run experiment evaluate resnet20 --weights evaluated.safetensors --data digits --confusion confusion.csv

      Prints top-1 and, with more than five classes, top-5 accuracy, the cross-entropy without label smoothing, the \
      expected calibration error (Guo et al., 2017, arXiv:1706.04599, 15 bins) and each class's accuracy; for a \
      regression, the mean squared and absolute errors in the targets' units. Images are normalised by the data's own \
      training split.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(help: ArgumentHelp("The weights, under torchvision's names.", valueName: "file.safetensors"))
  var weights: String
  @Option(help: .data)
  var data = "digits"
  @Option(help: ArgumentHelp("test, validation or train.", valueName: "split"))
  var split = Dataset.Split.test
  @Option(help: .kernel)
  var conv: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(
    help: ArgumentHelp("The file for a row for all images and one for each class.", valueName: "file.csv"))
  var csv: String?
  @Option(
    help: ArgumentHelp(
      "The file for the confusion matrix: a row for each class, a column for each predicted class.",
      valueName: "file.csv"))
  var confusion: String?
  @OptionGroup
  var threads: ThreadOption

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    try check(outputs: [("--csv", csv), ("--confusion", confusion)])
  }

  func run() throws {
    let model = try model.required(or: weights), data = try loadData(data)
    guard let examples = data[split] else {
      throw WorkbenchError(
        "The data \(data.name) have no \(split.rawValue) split; choose another with --split.")
    }
    guard confusion == nil || !data.isRegression else {
      throw WorkbenchError("\(data.name) is a regression and has no classes; leave out --confusion.")
    }
    for path in [csv, confusion].compactMap({ $0 }) { try AtomicFile.checkFolder(of: path) }
    let shape = examples.images.shape
    let network = try variations.network(
      model, conv, inputChannels: shape[3], classes: data.classes, seed: 0)
    try data.check(fits: network.model)
    _ = try network.outputShape(
      for: FeatureShape(
        batch: min(256, examples.count), height: shape[1], width: shape[2], channels: shape[3]))
    try load(weights, into: network, data: data)
    let scale = try TargetScale(metadata: SafetensorsFile(weights).metadata)
    let result = Training.evaluate(
      network, examples, scale: scale?.means.count == data.classes ? scale : nil, threads: threads.count)
    guard result.isFinite else {
      throw WorkbenchError("The outputs with \(weights) are not numbers; train again with a lower rate.")
    }
    let evaluation = Evaluation(
      result, on: examples, classes: data.classes,
      [
        ("model", network.model.name), ("kernel", network.kernel), ("data", data.name),
        ("split", split.rawValue),
      ])
    try csv.map(evaluation.table.write)
    try confusion.map { try evaluation.confusionTable?.write(to: $0) }
    printing.show(
      "\(network.model.name) with \(network.kernel), \(weights), on \(data.name): "
        + "\(Cell.grouped(examples.count)) \(split.rawValue) images\n\n\(evaluation.text)",
      ["evaluation": evaluation.table])
  }
}

extension Dataset.Split: ExpressibleByArgument {}
