/// The parts of a page's pictures, in their order.
enum ReportSection: String, CaseIterable, Sendable {
  case accuracies = "Accuracies"
  case costs = "Accuracy and cost"
  case speed = "Speed"
  case curves = "Training curves"
  case classes = "Classes and mistakes"
  case proxies = "Proxies"
  case fields = "Receptive fields"
  case positions = "Learned positions"
  case gradients = "Gradients"

  /// All pictures of a folder's results, each with its part. Pictures whose names would be the same, as names are cut, get
  /// numbers.
  static func plots(_ data: ReportData) -> [Plot] {
    var names = Set<String>()
    return allCases.flatMap { section in
      section.plots(data).map { plot in
        var name = plot.name, number = 1
        while !names.insert(name).inserted {
          number += 1
          name = "\(plot.name)-\(number)"
        }
        var plot = number == 1 ? plot : plot.renamed(name)
        plot.section = section
        return plot
      }
    }
  }

  private func plots(_ data: ReportData) -> [Plot] {
    switch self {
    case .accuracies: TaskPlots.plots(data)
    case .costs: AccuracyPlots.plots(data)
    case .speed: SpeedPlots.plots(data)
    case .curves: LearningPlots.curves(data)
    case .classes: ConfusionPlots.plots(data)
    case .proxies: ProxyPlots.plots(data)
    case .fields: LearningPlots.fields(data)
    case .positions: OffsetPlots.plots(data)
    case .gradients: GradientPlots.plots(data)
    }
  }
}
