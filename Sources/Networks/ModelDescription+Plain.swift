extension ModelDescription {
  /// The plain network with the same layers, of residual networks; others stay as they are.
  package var plain: any ModelDescription { residual?.withoutShortcuts ?? self }
}

extension ResidualDescription {
  /// The plain network with the same layers.
  package var withoutShortcuts: ResidualDescription {
    var description = self
    description.shortcut = .none
    description.startsAsIdentity = false
    return description
  }
}
