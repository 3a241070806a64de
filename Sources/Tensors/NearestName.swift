/// The end of a sentence about an unknown name: the nearest known name, or a list of all.
///
/// - Parameter command: what shows all of them, instead of a list of more than a dozen.
package func suggestion(for word: String, among names: [String], shownBy command: String? = nil) -> String {
  if let nearest = nearestName(to: word, among: names) { return "did you mean ‘\(nearest)’?" }
  if let command, names.count > 12 { return "‘\(command)’ shows all." }
  return "choose from \(names.joined(separator: ", "))."
}

/// The name that differs least from a word, if it could be a typing error: at most one edit for every four letters,
/// but at least one.
///
/// Case is ignored.
package func nearestName(to word: String, among names: [String]) -> String? {
  let letters = Array(word.lowercased().unicodeScalars)
  guard (3...64).contains(letters.count) else { return nil }
  let most = max(1, letters.count / 4)
  var nearest: (name: String, distance: Int)?
  for name in names {
    let other = Array(name.lowercased().unicodeScalars)
    // Each edit changes the length by one at most.
    guard abs(other.count - letters.count) <= most else { continue }
    let distance = editDistance(letters, other)
    if distance <= most, nearest.map({ distance < $0.distance }) ?? true { nearest = (name, distance) }
  }
  return nearest?.name
}

/// The smallest number of insertions, deletions, substitutions and swaps of neighbours that turn one word into
/// another (optimal string alignment).
func editDistance<Letter: Equatable>(_ a: [Letter], _ b: [Letter]) -> Int {
  var beforeLast: [Int] = [], last = Array(0...b.count)
  for row in 0..<a.count {
    var next = [row + 1]
    for column in 0..<b.count {
      var best = min(last[column + 1] + 1, next[column] + 1, last[column] + (a[row] == b[column] ? 0 : 1))
      if row > 0, column > 0, a[row] == b[column - 1], a[row - 1] == b[column] {
        best = min(best, beforeLast[column - 1] + 1)
      }
      next.append(best)
    }
    (beforeLast, last) = (last, next)
  }
  return last[b.count]
}
