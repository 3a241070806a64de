import Tensors

extension Dataset {
  /// A summary in sentences: the sizes of the splits, the classes or values, and the accuracy by chance.
  package var summary: String {
    let shape = train.images.shape
    func extents(_ examples: Examples) -> String {
      "\(examples.count)×\(shape[3])×\(shape[1])×\(shape[2])"
    }
    let splits = [("training", Optional(train)), ("validation", validation), ("test", test)].compactMap {
      name, examples in
      examples.map { "\(name) \(extents($0))" }
    }
    let asked =
      isRegression
      ? "\(classes) \(classes == 1 ? "value" : "values") to predict"
      : "\(classes) classes, chance \(chance ?? 0) %"
    return "\(name): \(splits.joined(separator: ", ")) (images × channels × height × width); \(asked)"
  }

  /// The share of the most frequent class in the test split, in percent: the accuracy of always predicting it. Nil in
  /// a regression.
  package var chance: Double? {
    guard !isRegression else { return nil }
    var counts: [Int: Int] = [:]
    for label in test.labels { counts[label, default: 0] += 1 }
    let tenths = (Double(counts.values.max() ?? 0) / Double(max(test.count, 1)) * 1000).rounded()
    return tenths / 10
  }
}
