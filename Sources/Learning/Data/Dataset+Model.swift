import Networks
import Tensors

extension Dataset {
  /// Refuses a model whose outputs this data cannot be compared with.
  package func check(fits model: any ModelDescription) throws {
    guard !model.isDense else {
      throw WorkbenchError(
        "\(model.name) classifies pixels, but the data \(name) has one \(isRegression ? "target" : "label") for each image; choose another model."
      )
    }
  }
}
