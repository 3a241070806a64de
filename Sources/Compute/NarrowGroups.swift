/// Groups that are narrower than a vector, with as many outputs as channels: several of them fill one vector, and each
/// lane needs the channels of its own group. A vector of x in which a lane of each group is spread over the group takes
/// one instruction, so no zeros are multiplied.
public enum NarrowGroups: Sendable, CaseIterable {
  /// Groups of four channels.
  case fours
  /// Groups of eight channels.
  case eights

  /// The groups of a width; nil if there are none, or they fill a vector.
  public init?(width: Int) {
    guard let found = Self.allCases.first(where: { $0.width == width }), width < Vector.scalarCount else {
      return nil
    }
    self = found
  }

  /// The channels of a group.
  public var width: Int { self == .fours ? 4 : 8 }

  /// Runs the microkernel for a tile.
  @inline(__always)
  func run(_ tile: TileArguments) {
    switch self {
    case .fours: tile.runFours()
    case .eights: tile.runEights()
    }
  }
}
