import Foundation
import Kernels
import Learning
import Networks
import Tensors

/// Makes a sweep of a YAML file.
struct SweepParser {
  private let vocabulary: SweepVocabulary

  init(_ vocabulary: SweepVocabulary) { self.vocabulary = vocabulary }

  private static let groupKeys = [
    "kernels", "models", "replace", "init", "data", "seeds", "training", "latency", "proxies", "layers",
    "fields", "operators",
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
    guard !parsed.isEmpty else { throw groups.error("there is no group in this list.") }
    return Sweep(groups: parsed)
  }

  private func group(
    _ entries: [(key: String, value: YAMLValue)], _ name: String?, _ place: YAMLValue
  ) throws -> SweepGroup {
    let values = Dictionary(entries.map { ($0.key, $0.value) }) { first, _ in first }
    let kernels = try values["kernels"].map(kernels) ?? [vocabulary.registry.choice("standard")]
    guard values["models"] != nil || values["operators"] != nil || values["fields"] != nil else {
      throw place.error("there is nothing to do; name models, operators to time, or fields to measure.")
    }
    guard values["models"] != nil || values["training"] == nil else {
      throw (values["training"] ?? place).error("there are no models to train; name some with ‘models: …’.")
    }
    return SweepGroup(
      name: name, kernels: kernels,
      models: try values["models"].map { try models($0, values["replace"], values["init"]) } ?? [],
      data: try values["data"].map { try unique($0, "data").map { Located($0.0, $0.1) } }
        ?? [Located("digits", place)],
      seeds: try values["seeds"].map(seeds) ?? [0, 1, 2],
      recipe: try values["training"].map(recipe),
      latencySeconds: try values["latency"].map(latency) ?? 1,
      hasProxies: try values["proxies"]?.truth("proxies") ?? true,
      hasLayers: try values["layers"]?.truth("layers") ?? false,
      fields: try values["fields"].flatMap(fields),
      operators: try values["operators"].map(operators))
  }

  /// The texts of a list, each once.
  private func unique(_ list: YAMLValue, _ what: String) throws -> [(String, YAMLValue)] {
    var seen = Set<String>()
    let elements = try list.elements.map { element in
      let text = try element.text(what)
      guard seen.insert(text).inserted else { throw element.error("‘\(text)’ stands here twice.") }
      return (text, element)
    }
    guard !elements.isEmpty else { throw list.error("\(what) is an empty list.") }
    return elements
  }

  private func kernels(_ list: YAMLValue) throws -> [KernelChoice] {
    let standard = try vocabulary.registry.choice("standard")
    if list.elements.count == 1, try list.elements[0].text("kernels") == "all" {
      return try vocabulary.registry.choicesBesideStandard("all")
    }
    let choices = try unique(list, "kernels").map { text, element in
      try element.located { try vocabulary.registry.choice(text) }
    }
    return [standard] + choices.filter { $0.item != standard.item }
  }

  private func models(
    _ list: YAMLValue, _ replace: YAMLValue?, _ initial: YAMLValue?
  ) throws -> [SweepModel] {
    // What is left out is the model's own.
    let replacements: [Replacement?] =
      try replace.map { list in
        try unique(list, "replace").map { _, element in
          try element.word("replace", Replacement.self)
        }
      } ?? [nil]
    let initials: [YAMLValue?] = try initial.map { try unique($0, "init").map(\.1) } ?? [nil]
    var seen = Set<[String: String]>()
    let models = try list.elements.flatMap { element in
      try replacements.flatMap { replacement in
        try initials.map { try model(element, replacement, $0) }
      }
    }
    for model in models where !seen.insert(model.definition).inserted {
      throw list.error("the model ‘\(model.label)’ stands here twice.")
    }
    guard !models.isEmpty else { throw list.error("models is an empty list.") }
    return models
  }

  private func model(
    _ value: YAMLValue, _ replacement: Replacement?, _ initial: YAMLValue?
  ) throws -> SweepModel {
    let options = vocabulary.modelOptions
    var entries =
      value.isMapping ? try value.entries(known: ["name"] + options.map(\.name), of: "a model") : []
    guard let nameValue = value.isMapping ? entries.first(where: { $0.key == "name" })?.value : value else {
      throw value.error("this model has no name; give it one with ‘name: …’.")
    }
    if let initial {
      if let own = entries.first(where: { $0.key == "init" }) {
        throw own.value.error("init is given for all models and for this one; leave out one of them.")
      }
      entries.append((key: "init", value: initial))
    }
    let name = try nameValue.text("a model")
    let make = vocabulary.model
    var arguments = replacement.map { ["--replace=\($0.rawValue)"] } ?? [], label = name
    var definition = ["model": name]
    // Wrong names and values are found here, option by option, where their line is known; channels and classes come
    // with the data.
    func check(_ place: YAMLValue) throws {
      do { _ = try make(name, arguments, 1, 10) } catch let error as WorkbenchError {
        throw place.error(Self.inFileWords(error))
      }
    }
    try check(nameValue)
    let plain = try make(name, arguments, 1, 10)
    definition["replace"] = plain.replacement.rawValue
    if plain.revision > 1 { definition["model.revision"] = "\(plain.revision)" }
    for option in options {
      guard let entry = entries.first(where: { $0.key == option.name }) else { continue }
      arguments += try option.arguments(entry.value)
      try check(entry.value)
      if option.name == "init" {
        // The same rule has the same name, however it was asked for; the model's own needs none.
        guard let rule = try make(name, arguments, 1, 10).initialization else { continue }
        label += ":init=\(rule.item)"
        definition["model.init"] = rule.item
        continue
      }
      let text = try entry.value.elements.map { try $0.text(option.name) }.joined(separator: ",")
      if case .flag = option.form {
        guard try entry.value.truth(option.name) else { continue }
        label += ":\(option.name)"
        definition["model.\(option.name)"] = "on"
      } else {
        label += ":\(option.name)=\(text)"
        definition["model.\(option.name)"] = text
      }
    }
    return SweepModel(label: label, definition: definition) { [arguments, label] channels, classes in
      var description = try make(name, arguments, channels, classes)
      description.name = label
      return description
    }
  }

  private func recipe(_ value: YAMLValue) throws -> SweepVocabulary.RecipeMaker {
    let options = vocabulary.recipeOptions
    let entries = try value.entries(known: options.map(\.name), of: "training")
    let arguments = try entries.flatMap { entry in
      try options.filter { $0.name == entry.key }.flatMap { try $0.arguments(entry.value) }
    }
    do { return try vocabulary.recipe(arguments) } catch let error as WorkbenchError {
      // The command line's sentence names the option.
      let blamed = entries.filter { error.description.contains("--\($0.key)") }
        .max { $0.key.count < $1.key.count }
      throw (blamed?.value ?? value).error(Self.inFileWords(error))
    }
  }

  /// A sentence about options of the command line, in the words of a file.
  private static func inFileWords(_ error: WorkbenchError) -> String {
    error.description.replacingOccurrences(of: "--", with: "")
  }

  private func seeds(_ value: YAMLValue) throws -> [Int] {
    guard value.isList else { return Array(0..<(try value.integer("seeds", 1...10_000))) }
    return try unique(value, "seeds").map { try $0.1.integer("a seed", 0...Int(Int32.max)) }
  }

  private func latency(_ value: YAMLValue) throws -> Double? {
    guard value.isMapping else { return try value.truth("latency") ? 1 : nil }
    let entries = try value.entries(known: ["seconds"], of: "latency")
    return try entries.first?.value.number("seconds", 0.001...3600) ?? 1
  }

  private func fields(_ value: YAMLValue) throws -> SweepFields? {
    guard value.isMapping else { return try value.truth("fields") ? SweepFields() : nil }
    var result = SweepFields()
    let known = ["depth", "kernel", "channels", "size", "seeds", "batch"]
    for (key, value) in try value.entries(known: known, of: "fields") {
      switch key {
      case "depth": result.depth = try value.integer(key, 1...1000)
      case "kernel":
        result.window = try value.integer(key, 1...1023)
        guard result.window % 2 == 1 else {
          throw value.error("kernel is \(result.window); it must be odd, so that there is a centre.")
        }
      case "channels": result.channels = try value.integer(key, 1...4096)
      case "seeds": result.seeds = try value.integer(key, 1...10_000)
      case "batch": result.batch = try value.integer(key, 1...4096)
      default:
        let text = try value.text(key)
        guard let size = Pair(text: text), (1...1024).contains(size.height), (1...1024).contains(size.width)
        else { throw value.error("size is ‘\(text)’; write it as 61 or 61x31, of at most 1024.") }
        result.size = size
      }
    }
    return result
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
    for kernel in vocabulary.registry.kernels {
      for name in kernel.algorithms where !known.contains(name) { known.append(name) }
    }
    for (name, element) in names where !known.contains(name) {
      throw element.error(
        "there is no algorithm ‘\(name)’; choose from all, \(known.joined(separator: ", ")).")
    }
    return .named(names.map(\.0))
  }
}
