/// This process's command as a line to paste into a shell, with some options removed and others added.
///
/// - Parameters:
///   - flags: options without a value to leave out.
///   - options: options with a value to leave out.
func shellCommand(withoutFlags flags: Set<String>, options: Set<String>, adding more: [String]) -> String {
  var kept: [String] = [], isValue = false
  for argument in CommandLine.arguments {
    let name = argument.split(separator: "=", maxSplits: 1).first.map(String.init) ?? argument
    if isValue {
      isValue = false
    } else if options.contains(name) {
      isValue = !argument.contains("=")
    } else if !flags.contains(argument) {
      kept.append(argument)
    }
  }
  return (kept + more).map(quoted).joined(separator: " ")
}

/// A word as a shell reads it.
private func quoted(_ word: String) -> String {
  let plain = word.unicodeScalars.allSatisfy {
    $0.isASCII
      && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_./,:=+@%".unicodeScalars.contains($0))
  }
  if plain, !word.isEmpty { return word }
  return "'" + word.unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
}
