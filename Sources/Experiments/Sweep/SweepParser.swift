import Foundation
import Kernels
import Learning
import Networks
import Tensors

/// Makes a sweep of a YAML file.
struct SweepParser {
  let registry: KernelRegistry

  init(_ registry: KernelRegistry) { self.registry = registry }

  private static let groupKeys = [
    "kernels", "space", "models", "replace", "init", "data", "seeds", "training", "latency", "proxies",
    "layers", "fields", "operators", "tune", "match", "margin", "until", "most-seeds",
  ]

  /// A file's sweep. Its own entries hold for every group that does not say otherwise.
  func sweep(_ file: YAMLValue) throws -> Sweep {
    let entries = try file.entries(known: Self.groupKeys + ["groups"], of: "a sweep")
    let common = entries.filter { $0.key != "groups" }
    guard let groups = entries.first(where: { $0.key == "groups" })?.value else {
      return Sweep(groups: [try group(common, nil, file)])
    }
    var names = Set<String>()
    let parsed = try groups.elements.map { value in
      let own = try value.entries(known: ["name"] + Self.groupKeys, of: "a group")
      guard let name = own.first(where: { $0.key == "name" })?.value else {
        throw value.error("this group has no name; give it one with ‘name: …’.")
      }
      let text = try name.text("name")
      guard names.insert(text).inserted else {
        throw name.error("there is a group ‘\(text)’ already; give each its own name.")
      }
      let inherited = common.filter { entry in !own.contains { $0.key == entry.key } }
      return try group(own.filter { $0.key != "name" } + inherited, text, value)
    }
    guard !parsed.isEmpty else { throw groups.error("this list has no group; give it one with ‘- name: …’.") }
    return Sweep(groups: parsed)
  }

  private func group(
    _ entries: [(key: String, value: YAMLValue)], _ name: String?, _ place: YAMLValue
  ) throws -> SweepGroup {
    let values = Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first }
    var kernels = try values["kernels"].map(kernels) ?? [registry.choice("standard")]
    guard values["models"] != nil || values["operators"] != nil || values["fields"] != nil else {
      throw place.error("there is nothing to do; name models, operators to time, or fields to measure.")
    }
    guard values["models"] != nil || values["training"] == nil else {
      throw (values["training"] ?? place).error("there are no models to train; name some with ‘models: …’.")
    }
    let space = values["space"]
    var models =
      try values["models"].map {
        try self.models($0, values["replace"], values["init"], widths: space?.entry("width"))
      } ?? []
    var networkSpace: NetworkSpace?
    if let space {
      if let kernels = values["kernels"] {
        throw kernels.error("kernels are given here and in ‘space: {kernels: …}’; leave out one of them.")
      }
      (kernels, models, networkSpace) = try apply(space, to: models)
    }
    var group = SweepGroup(
      name: name, kernels: kernels, models: models,
      data: try values["data"].map { try unique($0, "data").map { Located($0.0, $0.1) } }
        ?? [Located("digits", place)],
      seeds: try values["seeds"].map(seeds) ?? Array(0..<Sweep.usualSeeds),
      recipe: try values["training"].map(recipe),
      latencySeconds: try values["latency"].map(latency) ?? 1,
      hasProxies: try values["proxies"]?.truth("proxies") ?? true,
      hasLayers: try values["layers"]?.truth("layers") ?? false,
      fields: try values["fields"].flatMap(fields),
      operators: try values["operators"].map(operators))
    group.space = networkSpace
    if let tune = values["tune"] {
      guard group.recipe != nil else {
        throw tune.error("there is no training to tune rates for; add ‘training: …’.")
      }
      group.tune = try self.tune(tune)
    }
    if let match = values["match"] {
      guard !group.models.isEmpty else {
        throw match.error("there are no models whose width could be matched; name some with ‘models: …’.")
      }
      guard space == nil else {
        throw match.error("the networks of a space have the widths given there; leave out match.")
      }
      group.match = try match.word("match", Budget.self)
    }
    if let margin = values["margin"] { group.terms.margin = try margin.number("margin", Verdict.margins) }
    group.until = try until(values, group)
    if let margin = values["margin"], group.until != nil {
      throw margin.error("margin and until both set what counts as equivalent; leave out margin.")
    }
    return group
  }

  private func tune(_ value: YAMLValue) throws -> RateTuning? {
    guard value.isMapping else { return try value.truth("tune") ? RateTuning() : nil }
    return try value.read(RateTuning.all, of: "tune")
  }

  private func until(_ values: [String: YAMLValue], _ group: SweepGroup) throws -> SeedsUntil? {
    guard let value = values["until"] else {
      guard let most = values["most-seeds"] else { return nil }
      throw most.error("most-seeds is a limit for ‘until: …’; give that too, or leave this out.")
    }
    guard group.recipe != nil else {
      throw value.error("until adds seeds to trainings, but nothing is trained; add ‘training: …’.")
    }
    let margin = try value.number("until", Verdict.margins)
    let most = try values["most-seeds"]?.integer("most-seeds", SeedsUntil.limits) ?? SeedsUntil.usualMost
    return try value.located { try SeedsUntil(margin: margin, most: most, first: group.seeds) }
  }

  /// The texts of a list, each once.
  func unique(_ list: YAMLValue, _ what: String) throws -> [(String, YAMLValue)] {
    var seen = Set<String>()
    let elements = try list.elements.map { element in
      let text = try element.text(what)
      guard seen.insert(text).inserted else { throw element.error("‘\(text)’ occurs twice here.") }
      return (text, element)
    }
    guard !elements.isEmpty else { throw list.error("\(what) is an empty list.") }
    return elements
  }

  private func kernels(_ list: YAMLValue) throws -> [KernelChoice] {
    let standard = try registry.choice("standard")
    if list.elements.count == 1, try list.elements[0].text("kernels") == "all" {
      return try registry.choicesBesideStandard("all")
    }
    let choices = try unique(list, "kernels").map { text, element in
      try element.located { try registry.choice(text) }
    }
    return [standard] + choices.filter { $0.item != standard.item }
  }

  private func models(
    _ list: YAMLValue, _ replace: YAMLValue?, _ initial: YAMLValue?, widths: YAMLValue?
  ) throws -> [SweepModel] {
    // What is left out is the model's own.
    let replacements: [Replacement?] =
      try replace.map { list in
        try unique(list, "replace").map { _, element in
          try element.word("replace", Replacement.self)
        }
      } ?? [nil]
    // Of each setting that is given for all models, its values.
    let given = [(ModelSettings.initialization.name, initial), (ModelSettings.width.name, widths)]
    var common: [[(key: String, value: YAMLValue)]] = [[]]
    for (key, list) in given {
      guard let values = try list.map({ try unique($0, key).map(\.1) }) else { continue }
      common = common.flatMap { before in values.map { before + [(key: key, value: $0)] } }
    }
    var seen = Set<[String: String]>()
    let models = try list.elements.flatMap { element in
      try replacements.flatMap { replacement in
        try common.map { try model(element, replacement, $0) }
      }
    }
    for model in models where !seen.insert(model.definition).inserted {
      throw list.error("the model ‘\(model.label)’ occurs twice here.")
    }
    guard !models.isEmpty else { throw list.error("models is an empty list.") }
    return models
  }

  private func model(
    _ value: YAMLValue, _ replacement: Replacement?, _ common: [(key: String, value: YAMLValue)]
  ) throws -> SweepModel {
    let settings = ModelSettings.all.filter { $0.name != ModelSettings.replace.name }
    var entries =
      value.isMapping ? try value.entries(known: ["name"] + settings.map(\.name), of: "a model") : []
    guard let nameValue = value.isMapping ? entries.first(where: { $0.key == "name" })?.value : value else {
      throw value.error("this model has no name; give it one with ‘name: …’.")
    }
    for entry in common {
      if let own = entries.first(where: { $0.key == entry.key }) {
        throw own.value.error(
          "\(entry.key) is given both for all models and for this one; leave out one of them.")
      }
      entries.append(entry)
    }
    let name = try nameValue.text("a model")
    var chosen = ModelSettings(), notes: [(name: String, text: String)] = []
    chosen.replace = replacement
    // What is wrong is found setting by setting, where its line is known; channels and classes come with the data.
    var model = try nameValue.located { try SweepModel(name, chosen, notes, isLabelled: true) }
    for setting in settings {
      guard let value = entries.first(where: { $0.key == setting.name })?.value else { continue }
      let texts = try value.set(setting, of: &chosen)
      if let note = chosen.notes.first(where: { $0.name == setting.name }) {
        // As the file writes it; but one rule for initial weights has one name, and what is turned on is `on`.
        let isCanonical = [ModelSettings.initialization.name, ModelSettings.zeroInit.name].contains(note.name)
        notes.append((note.name, isCanonical ? note.text : texts.joined(separator: ",")))
      }
      model = try value.located { try SweepModel(name, chosen, notes, isLabelled: true) }
    }
    return model
  }

  private func recipe(_ value: YAMLValue) throws -> RecipeSettings {
    let recipe = try value.read(RecipeSettings.all, of: "training")
    try value.located(recipe.check)
    return recipe
  }

  private func seeds(_ value: YAMLValue) throws -> [Int] {
    guard value.isList else { return Array(0..<(try value.integer("seeds", Sweep.seedCounts))) }
    return try unique(value, "seeds").map { try $0.1.integer("a seed", 0...Int(Int32.max)) }
  }

  private func latency(_ value: YAMLValue) throws -> Double? {
    guard value.isMapping else { return try value.truth("latency") ? 1 : nil }
    let entries = try value.entries(known: ["seconds"], of: "latency")
    return try entries.first?.value.number("seconds", 0.001...3600) ?? 1
  }

  private func fields(_ value: YAMLValue) throws -> FieldSettings? {
    guard value.isMapping else { return try value.truth("fields") ? FieldSettings() : nil }
    return try value.read(FieldSettings.all, of: "fields")
  }

  private func operators(_ value: YAMLValue) throws -> SweepOperators {
    var result = try SweepOperators()
    let known = ["problems", "algorithms", "passes", "seconds"]
    for (key, value) in try value.entries(known: known, of: "operators") {
      switch key {
      case "problems": result.problems = try problems(value)
      case "algorithms": result.algorithms = try algorithms(value)
      case "passes":
        result.passes = try unique(value, "passes").map { try $0.1.word("passes", TimedPass.self) }
      default: result.seconds = try value.number(key, 0.001...3600)
      }
    }
    return result
  }

  /// A list of problem strings; `bottleneck-stages`; or the name of a file of them, beside the sweep's.
  private func problems(_ value: YAMLValue) throws -> [ProblemFile.Line] {
    guard value.isList else {
      let text = try value.text("problems")
      if text == "bottleneck-stages" { return try SweepOperators().problems }
      let file = URL(fileURLWithPath: value.file).deletingLastPathComponent().appendingPathComponent(text)
      return try value.located {
        try ProblemFile.read(text.hasPrefix("/") ? text : file.relativePath, batch: nil)
      }
    }
    return try unique(value, "problems").map { text, element in
      try element.located { try ProblemFile.line(text, batch: nil) }
    }
  }

  private func algorithms(_ value: YAMLValue) throws -> OperatorStudy.Algorithms {
    let names = try unique(value, "algorithms")
    if names.count == 1, names[0].0 == "all" { return .all }
    if names.count == 1, names[0].0 == "auto" { return .automatic }
    var known = ["auto"]
    for kernel in registry.kernels {
      for name in kernel.algorithms where !known.contains(name) { known.append(name) }
    }
    for (name, element) in names where !known.contains(name) {
      throw element.error(
        "there is no algorithm ‘\(name)’; choose from all, \(known.joined(separator: ", ")).")
    }
    return .named(names.map(\.0))
  }
}
