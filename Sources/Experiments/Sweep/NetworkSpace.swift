import Foundation
import Kernels
import Networks
import Tensors

/// Networks that differ in the kernels of their stages or blocks: all of them, or some drawn at random.
struct NetworkSpace: Sendable {
  /// What has a kernel of its own.
  enum Place: String, CaseIterable, Sendable { case stage, block }

  /// The kernels of which each place has one, each once.
  let kernels: [KernelChoice]
  /// What has a kernel of its own.
  let place: Place
  /// The number of networks that are drawn, without repetition; nil for all.
  let draw: Int?
  /// The seed of the draw. A larger draw begins with the networks of a smaller one.
  let seed: UInt64

  /// A larger space can only be drawn from.
  static let limit = 100_000

  /// The items of `--conv` of the networks of each model: one kernel everywhere is written as that kernel.
  ///
  /// - Throws: a ``WorkbenchError`` if a model has no stages, or there are too many networks or too few.
  func items(of models: [any ModelDescription]) throws -> [[String]] {
    let places = try models.map { try self.places(of: $0) }
    let sizes = places.map { pow(Double(kernels.count), Double($0)) }, size = sizes.reduce(0, +)
    guard let draw else {
      guard size <= Double(Self.limit) else {
        throw WorkbenchError(
          "this space has more than 100,000 networks; draw some of them with ‘draw: 500’, for example.")
      }
      return zip(places, sizes).map { places, size in (0..<Int(size)).map { item(number($0, of: places)) } }
    }
    guard Double(draw) <= size else {
      throw WorkbenchError(
        "this space has only \(Int(size)) networks, fewer than draw: \(draw) asks for; leave out draw.")
    }
    var random = Random(seed: seed).split("space"), seen = Set<[Int]>(),
      items = models.map { _ in [String]() }
    while seen.count < draw {
      // Each network is as likely as any other, whatever its model.
      var left = random.uniform() * size
      let model = sizes.firstIndex { own in
        left -= own
        return left < 0
      }
      let index = model ?? sizes.count - 1
      let choices = (0..<places[index]).map { _ in random.below(kernels.count) }
      if seen.insert([index] + choices).inserted { items[index].append(item(choices)) }
    }
    return items
  }

  /// How many places of a model have a kernel of their own.
  func places(of model: any ModelDescription) throws -> Int {
    guard let residual = model.residual else {
      throw WorkbenchError(
        "\(model.name) has no stages of residual blocks; a space needs models that have some.")
    }
    return place == .stage ? residual.stages.count : residual.stages.reduce(0) { $0 + $1.count }
  }

  /// The places' kernels of the network of a number; the last place changes first.
  private func number(_ number: Int, of places: Int) -> [Int] {
    var rest = number, choices: [Int] = []
    for _ in 0..<places {
      choices.append(rest % kernels.count)
      rest /= kernels.count
    }
    return choices.reversed()
  }

  /// The item of a network whose places have kernels of these numbers.
  func item(_ choices: [Int]) -> String {
    let items = choices.map { kernels[$0].item }
    return Set(choices).count == 1 ? items[0] : items.joined(separator: "+")
  }
}

extension SweepParser {
  /// Gives each model the networks of a space, `standard` first.
  func apply(_ value: YAMLValue, to models: [SweepModel]) throws -> (
    kernels: [KernelChoice], models: [SweepModel], space: NetworkSpace
  ) {
    var kernels: [KernelChoice] = [], place = NetworkSpace.Place.stage, draw: Int?, seed = 0
    let known = ["kernels", "per", "draw", "seed", "width"]
    for (key, value) in try value.entries(known: known, of: "space") {
      switch key {
      case "kernels":
        kernels = try unique(value, "kernels").map { text, element in
          let choice = try element.located { try registry.choice(text) }
          guard choice.parts.count == 1 else {
            throw element.error("‘\(text)’ joins kernels; list the kernels of a space one by one.")
          }
          return choice
        }
      case "per": place = try value.word(key, NetworkSpace.Place.self)
      case "draw": draw = try value.integer(key, 1...NetworkSpace.limit)
      case "seed": seed = try value.integer(key, 0...Int(Int32.max))
      default: break  // `width` is the models'.
      }
    }
    guard !kernels.isEmpty else {
      throw value.error("this space has no kernels; give it some with ‘kernels: […]’.")
    }
    guard !models.isEmpty else { throw value.error("a space needs models; name some with ‘models: …’.") }
    let space = NetworkSpace(kernels: kernels, place: place, draw: draw, seed: UInt64(seed))
    let standard = try registry.choice("standard")
    return try value.located {
      let items = try space.items(of: models.map { try $0.description(1, 10) })
      let networks = try zip(models, items).map { model, items in
        var model = model
        model.kernels = [standard] + (try items.filter { $0 != standard.item }.map(registry.choice))
        // One stands for all: what could not be is that the model keeps the convolutions of some stages.
        if let joined = model.kernels?.first(where: { $0.parts.count > 1 }) {
          try model.description(1, 10).check(joined)
        }
        return model
      }
      return ([standard] + kernels.filter { $0.item != standard.item }, networks, space)
    }
  }
}
