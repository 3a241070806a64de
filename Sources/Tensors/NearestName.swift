/// The end of a sentence about an unknown name: the nearest known name, or a list of all.
package func suggestion(for word: String, among names: [String]) -> String {
  nearestName(to: word, among: names).map { "did you mean ‘\($0)’?" }
    ?? "choose from \(names.joined(separator: ", "))."
}

/// The name that differs least from a word, if it could be a typing error: at most one edit for every four letters,
/// but at least one.
///
/// Case is ignored.
package func nearestName(to word: String, among names: [String]) -> String? {
  let letters = Array(word.lowercased())
  guard (3...64).contains(letters.count) else { return nil }
  let distances = names.map { editDistance(letters, Array($0.lowercased())) }
  guard let least = distances.min(), least <= max(1, letters.count / 4) else { return nil }
  return zip(names, distances).first { $0.1 == least }?.0
}

/// The smallest number of insertions, deletions, substitutions and swaps of neighbours that turn one word into
/// another (optimal string alignment).
func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var table = (0...a.count).map { row in (0...b.count).map { row == 0 ? $0 : $0 == 0 ? row : 0 } }
  for row in 1..<(a.count + 1) {
    for column in 1..<(b.count + 1) {
      let isEqual = a[row - 1] == b[column - 1]
      var best = min(
        table[row - 1][column] + 1, table[row][column - 1] + 1,
        table[row - 1][column - 1] + (isEqual ? 0 : 1))
      if row > 1, column > 1, a[row - 1] == b[column - 2], a[row - 2] == b[column - 1] {
        best = min(best, table[row - 2][column - 2] + 1)
      }
      table[row][column] = best
    }
  }
  return table[a.count][b.count]
}
