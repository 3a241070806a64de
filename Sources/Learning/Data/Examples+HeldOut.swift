import Tensors

extension Examples {
  /// Splits validation images off a training split: the last images of each class, in proportion to its share, or
  /// simply the last ones in a regression. The rest keeps its order, and each class keeps at least one image.
  ///
  /// - Parameters:
  ///   - wanted: their number; nil for a tenth, rounded down, as far as the classes allow.
  ///   - name: the name of the data in errors.
  /// - Returns: the rest, and what was taken; nil if that is nothing.
  /// - Throws: a ``WorkbenchError`` if so many cannot be taken.
  func holdingOut(_ wanted: Int?, of name: String) throws -> (train: Examples, validation: Examples?) {
    // The positions of each class's images; a regression is one class.
    var places: [Int: [Int]] = [:]
    for image in 0..<count { places[isRegression ? 0 : labels[image], default: []].append(image) }
    let largest = count - places.count, number = wanted ?? min(count / 10, largest)
    guard number <= largest else {
      throw WorkbenchError(
        "validation=\(number) of \(name) leaves no training images of some classes; it must be at most \(largest)."
      )
    }
    guard number > 0 else { return (self, nil) }
    // Shares are rounded down first; what is left goes to the largest remainders.
    let classes = places.keys.sorted()
    var shares = classes.map { places[$0]!.count * number / count }
    let byRemainder = classes.indices.sorted { first, second in
      let remainders = [first, second].map { places[classes[$0]]!.count * number % count }
      return remainders[0] == remainders[1] ? first < second : remainders[0] > remainders[1]
    }
    var left = number - shares.reduce(0, +)
    while left > 0 {
      for index in byRemainder where left > 0 && shares[index] < places[classes[index]]!.count - 1 {
        shares[index] += 1
        left -= 1
      }
    }
    let taken = Set(zip(classes, shares).flatMap { places[$0]!.suffix($1) })
    func part(_ isTaken: Bool) -> Examples {
      let (images, targets) = gather((0..<count).filter { taken.contains($0) == isTaken })
      return Examples(images: images, targets: targets)
    }
    return (part(false), part(true))
  }
}
