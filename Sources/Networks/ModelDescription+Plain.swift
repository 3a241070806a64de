extension ModelDescription {
  /// The plain network with the same layers, of residual networks; others stay as they are.
  public var plain: any ModelDescription { residual?.withoutShortcuts ?? self }
}

extension ResidualDescription {
  /// The plain network with the same layers.
  public var withoutShortcuts: ResidualDescription {
    var description = self
    description.shortcut = .none
    description.startsAsIdentity = false
    return description
  }
}
