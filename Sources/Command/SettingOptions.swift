import ArgumentParser
import Tensors

// Command-line options for declared settings. Settings parse their texts, as they do for files.

extension Option where Value == String? {
  /// One value.
  init<Target>(_ setting: Setting<Target>) {
    self.init(
      name: .customLong(setting.name), help: setting.argumentHelp,
      completion: setting.choices.isEmpty ? nil : .list(setting.choices))
  }
}

extension Option where Value == [String] {
  /// A list, each value an argument.
  init<Target>(_ setting: Setting<Target>) {
    self.init(
      wrappedValue: [], name: .customLong(setting.name), parsing: .upToNextOption, help: setting.argumentHelp)
  }
}

extension Flag where Value == Bool {
  /// Off, or turned on by its name.
  init<Target>(_ setting: Setting<Target>) {
    self.init(wrappedValue: false, name: .customLong(setting.name), help: setting.argumentHelp)
  }
}

extension Flag where Value == Bool? {
  /// Turned on by its name, off by `--no-NAME`, or left alone.
  init<Target>(_ setting: Setting<Target>) {
    self.init(name: .customLong(setting.name), inversion: .prefixedNo, help: setting.argumentHelp)
  }
}

extension Setting {
  fileprivate var argumentHelp: ArgumentHelp {
    placeholder.isEmpty ? ArgumentHelp("\(help)") : ArgumentHelp("\(help)", valueName: placeholder)
  }
}

/// A setting and its value on the command line.
struct Given<Target: Settable> {
  let setting: Setting<Target>
  /// Nil if it is left out.
  let texts: [String]?

  init(_ setting: Setting<Target>, _ text: String?) { self.init(setting, text.map { [$0] } ?? []) }

  init(_ setting: Setting<Target>, _ texts: [String]) {
    self.setting = setting
    self.texts = texts.isEmpty ? nil : texts
  }

  init(_ setting: Setting<Target>, isOn: Bool?) { self.init(setting, isOn.map { $0 ? "on" : "off" }) }
}

/// All settings: those given, and the defaults of the others.
///
/// - Throws: wrong usage, if something given is wrong.
func settings<Target>(_ given: [Given<Target>]) throws -> Target {
  var target = Target()
  for entry in given {
    guard let texts = entry.texts else { continue }
    do {
      try entry.setting.set(&target, texts, label: "--\(entry.setting.name)")
    } catch let error as WorkbenchError {
      throw ValidationError(error.description)
    }
  }
  return target
}
