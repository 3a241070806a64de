import Foundation
import Tensors
import Testing

@testable import Learning

@Suite struct DigitsTests {
  @Test func areCutBetweenTwoForms() throws {
    let digits = try Dataset.load("digits")
    #expect(digits.name == "digits" && digits.classes == 10)
    #expect(digits.train.images.shape == [1157, 8, 8, 1] && digits.train.count == 1157)
    let validation = try #require(digits.validation)
    #expect(validation.images.shape == [258, 8, 8, 1] && validation.count == 258)
    #expect(digits.test.images.shape == [382, 8, 8, 1] && digits.test.count == 382)
    // numpy.bincount(labels[:1157]), numpy.bincount(labels[1157:1415]) and numpy.bincount(labels[1415:])
    #expect(counts(digits.train) == [114, 117, 114, 118, 116, 117, 116, 115, 114, 116])
    #expect(counts(validation) == [26, 26, 26, 26, 26, 26, 26, 26, 25, 25])
    #expect(counts(digits.test) == [38, 39, 37, 39, 39, 39, 39, 38, 35, 39])
    #expect(digits.augmentation.shift == 1 && !digits.augmentation.flips)
    #expect(digits.definition == "digits:split=1415:validation=258")
  }

  @Test func canBeWithoutValidation() throws {
    let digits = try Dataset.load("digits:validation=0")
    #expect(digits.validation == nil && digits.name == "digits:validation=0")
    #expect(digits.definition == "digits:split=1415:validation=0")
    // numpy.bincount(labels[:1415])
    #expect(counts(digits.train) == [140, 143, 140, 144, 142, 143, 142, 141, 139, 141])
    // One form less for validation.
    let one = try Dataset.load("digits:validation=128")
    #expect(one.train.count == 1287 && one.validation?.count == 128 && one.name == "digits:validation=128")
  }

  @Test func canBeCutElsewhere() throws {
    let old = try Dataset.load("digits:split=1437"), new = try Dataset.load("digits:split=1415")
    #expect(old.name == "digits:split=1437" && old.definition == "digits:split=1437:validation=0")
    #expect(new.name == "digits" && new.validation?.count == 258 && old.validation == nil)
    #expect(try Dataset.load("digits:split=1437:validation=0").name == "digits:split=1437")
    #expect(try Dataset.load("digits:validation=0258:split=01415").name == "digits")
    #expect(try Dataset.load("digits:split=1437:validation=9").name == "digits:split=1437:validation=9")
    // numpy.bincount(labels[:1437]) and numpy.bincount(labels[1437:])
    #expect(counts(old.train) == [143, 146, 142, 146, 144, 145, 144, 143, 141, 143])
    #expect(counts(old.test) == [35, 36, 35, 37, 37, 37, 37, 36, 33, 37])
  }

  /// Where the forms start follows from the labels: the twelfth form is complete, and the others are copies of it in
  /// which some labels are missing.
  @Test func noFormStandsOnBothSidesOfTheSplit() throws {
    let digits = try Dataset.load("digits"), validation = try #require(digits.validation)
    let labels = digits.train.labels + validation.labels + digits.test.labels
    let form = Array(labels[1415..<1545])
    #expect(Array(form.prefix(30)) == (0..<30).map { $0 % 10 })
    var place = 0, missing = 0, changed = 0, forms: [Int] = []
    for index in labels.indices {
      if labels[index] != form[place % 130] {
        // What follows says how many labels are missing here.
        let rest = labels[index...].prefix(6)
        let gap = (1...5).first { gap in
          rest.elementsEqual(rest.indices.map { form[(place + gap + $0 - index) % 130] })
        }
        place += gap ?? 0
        missing += gap ?? 0
        changed += gap == nil ? 1 : 0
      }
      forms.append(place / 130)
      place += 1
    }
    #expect(place == 14 * 130 && missing == 23 && changed == 1)
    let starts = (0..<14).compactMap { forms.firstIndex(of: $0) }
    #expect(starts == [0, 130, 256, 386, 516, 646, 776, 906, 1029, 1157, 1287, 1415, 1545, 1667])
    func shared(_ split: Int) -> Int {
      let trained = Set(forms[..<split])
      return forms[split...].count { trained.contains($0) }
    }
    let trained = digits.train.count
    #expect(shared(trained) == 0 && shared(trained + validation.count) == 0)
    #expect(shared(1287) == 0 && shared(1415) == 0 && shared(1545) == 0)
    #expect(shared(1437) == 108)
  }

  /// The numbers are NumPy's, of (x / 16 - mean) / std with the mean and std of the training split, in double
  /// precision; 1e-5 is some twenty roundings in single precision.
  @Test func areNormalisedByTheTrainingSplit() throws {
    let digits = try Dataset.load("digits")
    let firstRow: [Float] = [
      -0.81562580, -0.81562580, 0.01603389, 1.34668939, 0.68136164, -0.64929386, -0.81562580, -0.81562580,
    ]
    for (value, expected) in zip(digits.train.images.values, firstRow) {
      #expect(abs(value - expected) < 1e-5)
    }
    #expect(digits.train.labels.first == 0 && digits.test.labels.last == 8)
    let lastImage = digits.test.images.values.suffix(64).dropFirst(32).prefix(3)
    for (value, expected) in zip(lastImage, [-0.81562580, -0.81562580, 1.18035745] as [Float]) {
      #expect(abs(value - expected) < 1e-5)
    }
    let (trainMean, trainDeviation) = moments(digits.train.images)
    #expect(abs(trainMean) < 1e-5 && abs(trainDeviation - 1) < 1e-5)
    let (testMean, testDeviation) = moments(digits.test.images)
    #expect(abs(testMean + 0.004948102) < 1e-5 && abs(testDeviation - 1.00538851) < 1e-5)
    let (ownMean, ownDeviation) = moments(try #require(digits.validation).images)
    #expect(abs(ownMean + 0.015193643) < 1e-5 && abs(ownDeviation - 0.99736184) < 1e-5)
    #expect(abs(digits.augmentation.fill[0] + 0.8156258) < 1e-5)
  }
}

@Suite struct SpecificationTests {
  @Test(arguments: [
    ("cats", "‘experiment list’ shows all."), ("", "‘experiment list’ shows all."),
    (":x", "‘experiment list’"),
    ("mnist", "needs the folder"), ("cifar10:", "needs the folder"), ("npy", "--data npy:DIR"),
    ("digits:x", "takes no folder"), ("synthetic:", "takes no folder"),
    ("digits:splt=3", "digits takes no option ‘splt’; did you mean ‘split’?"),
    ("synthetic:split=3", "synthetic takes no option ‘split’; choose from validation."),
    ("digits:validation=1415", "it must be below 1415"), ("digits:validation=-1", "cannot be ‘-1’"),
    ("mnist:/none:validation=x", "The option validation of mnist cannot be ‘x’; it takes a whole number"),
    ("mnist:validation=3", "needs the folder"),
    ("digits:split=some", "The option split of digits cannot be ‘some’"),
    ("digits:split=1797", "it must be from 1 to 1796"), ("digits:split=0", "cannot be ‘0’"),
    ("digits:split=9:split=9", "is given twice"),
    ("mnist:/none", "/none/train-images-idx3-ubyte does not exist"),
    ("mnist:/none:a=b", "/none:a=b/train-images-idx3-ubyte does not exist"),
    ("cifar10:/none", "/none/data_batch_1.bin cannot be read: No such file"),
    ("npy:/none", "/none/train_labels.npy cannot be read: No such file"),
  ])
  func refusesWhatItDoesNotKnow(specification: String, reason: String) throws {
    try expectRefusal(specification, reason)
  }
}

@Suite struct SyntheticTests {
  @Test func isTheSameEveryTimeAndBalanced() throws {
    let first = try Dataset.load("synthetic"), second = try Dataset.load("synthetic")
    #expect(first.train.images == second.train.images && first.test.images == second.test.images)
    #expect(first.train.images.shape == [1000, 16, 16, 1] && first.test.images.shape == [250, 16, 16, 1])
    #expect(counts(first.train) == Array(repeating: 100, count: 10))
    #expect(counts(first.test) == Array(repeating: 25, count: 10))
    #expect(first.augmentation.shift == 0 && !first.augmentation.flips)
    let (mean, deviation) = moments(first.train.images)
    #expect(abs(mean) < 1e-5 && abs(deviation - 1) < 1e-5)
    let validation = try #require(first.validation)
    #expect(validation.images == second.validation?.images)
    #expect(counts(validation) == Array(repeating: 25, count: 10))
    #expect(Array(validation.images.values.prefix(256)) != Array(first.test.images.values.prefix(256)))
    // Without it, all else is the same.
    let without = try Dataset.load("synthetic:validation=0")
    #expect(without.validation == nil && without.train.images == first.train.images)
    #expect(without.test.images == first.test.images && without.name == "synthetic:validation=0")
    // Train and test are different images.
    #expect(Array(first.train.images.values.prefix(256)) != Array(first.test.images.values.prefix(256)))
  }
}

@Suite struct AugmentationTests {
  /// Every result must be one of the possible shifts and mirror images, and every one of them must occur.
  @Test(arguments: [(0, true), (1, false), (2, true), (5, true)])
  func givesExactlyTheImagesThatItDescribes(shift: Int, flips: Bool) {
    let height = 3, width = 4, channels = 2
    let fill: [Float] = [-1, -2]
    let image = (0..<height * width * channels).map(Float.init)
    func moved(_ down: Int, _ right: Int, _ mirrored: Bool) -> [Float] {
      var result: [Float] = []
      for row in 0..<height {
        for column in 0..<width {
          let y = row - down, x = mirrored ? width - 1 - (column - right) : column - right
          let isInside = y >= 0 && y < height && x >= 0 && x < width
          for channel in 0..<channels {
            result.append(isInside ? image[(y * width + x) * channels + channel] : fill[channel])
          }
        }
      }
      return result
    }
    var possible: Set<[Float]> = []
    for down in -shift...shift {
      for right in -shift...shift {
        possible.insert(moved(down, right, false))
        if flips { possible.insert(moved(down, right, true)) }
      }
    }
    let count = 5000, size = image.count
    let original = Tensor((0..<count).flatMap { _ in image }, [count, height, width, channels])
    var batch = original, random = Random(seed: 1)
    Augmentation(shift: shift, flips: flips, fill: fill).apply(to: &batch, using: &random)
    let values = batch.values
    #expect(Set((0..<count).map { Array(values[$0 * size..<($0 + 1) * size]) }) == possible)
    #expect(original[1] == 1 && original.values.prefix(size) == image[...])

    var again = original, sameRandom = Random(seed: 1)
    Augmentation(shift: shift, flips: flips, fill: fill).apply(to: &again, using: &sameRandom)
    #expect(again == batch)
  }

  @Test func doesNothingWhenOff() {
    var batch = Tensor([1, 2, 3, 4], [1, 2, 2, 1]), random = Random(seed: 1)
    Augmentation(shift: 0, flips: false, fill: [0]).apply(to: &batch, using: &random)
    #expect(batch == Tensor([1, 2, 3, 4], [1, 2, 2, 1]))
    var untouched = Random(seed: 1)
    #expect(random.next() == untouched.next())
  }
}

// MARK: Helpers

/// How many examples each of ten classes has.
private func counts(_ examples: Examples) -> [Int] {
  examples.labels.reduce(into: Array(repeating: 0, count: 10)) { $0[$1] += 1 }
}

private func moments(_ tensor: Tensor) -> (mean: Double, deviation: Double) {
  let values = tensor.values.map(Double.init), count = Double(tensor.count)
  let mean = values.reduce(0, +) / count
  return (mean, (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot())
}
