import ArgumentParser
import Experiments
import Layers
import Networks
import Tensors

/// `experiment describe`: a model's layers, what each costs, and what bottlenecks save.
struct DescribeCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "List a model's layers with exact counts of parameters and operations.",
    discussion: """
      Example: swift run experiment describe resnet50 --conv deformable --stages 2,3,4 --csv resnet50.csv

      Counts are for one image. MACs with padding are included, as in PyTorch's counters.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(help: .kernel)
  var conv: String?
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(help: ArgumentHelp("The image size, CxHxW (default: the model's own).", valueName: "size"))
  var input: ImageArgument?
  @Option(help: ArgumentHelp("The number of classes (default: the model's own).", valueName: "n"))
  var classes: Int?
  @Option(
    name: .customLong("print"),
    help: "torch: the tree of modules, as PyTorch's print(model) shows it; table: the layers.")
  var form = Form.table
  @Option(help: ArgumentHelp("The file for the rows, the last of which is the total.", valueName: "file"))
  var csv: String?

  enum Form: String, CaseIterable, ExpressibleByArgument { case table, torch }

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    _ = try model.required()
    if let classes { try check(classes, "--classes", 1...1_048_576) }
  }

  func run() throws {
    let name = try model.required()
    let shape = input?.shape ?? Models.input(name)
    let network = try variations.network(
      name, conv, inputChannels: shape.channels, classes: classes, seed: 0)
    _ = try network.outputShape(for: shape)
    let rows = try network.summaries(for: shape)
    if let remark = try network.reachRemark(for: shape) {
      warn("\(conv ?? network.model.ownKernel ?? "standard"): \(remark)")
    }
    if let csv { try LayerTables.csv(rows).write(to: csv) }
    switch form {
    case .torch: print(network.printed)
    case .table:
      let savings = try network.bottleneckSavings(for: shape)
      let texts = [
        LayerTables.text(rows), LayerTables.forms(rows), savings.isEmpty ? nil : LayerTables.text(savings),
      ]
      printing.show(
        texts.compactMap { $0 }.joined(separator: "\n\n"),
        ["layers": LayerTables.csv(rows), "forms": LayerTables.formsCSV(rows)])
    }
  }
}
