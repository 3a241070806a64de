import Foundation
import Tensors

/// Examples of the images of a data set: docs/tasks/NAME.png in the sources that the program was built from.
enum TaskPicture {
  /// The picture as the source of an HTML image; nil if there is none.
  static func source(_ data: String) -> String? {
    let name = String(data.prefix { $0 != ":" })
    guard !name.isEmpty, name == Plot.slug(name) else { return nil }
    let path = MachineRecord.root.appendingPathComponent("docs/tasks/\(name).png").path
    guard let file = try? RegularFile(path, limit: 1 << 20), let bytes = try? file.read(file.size) else {
      return nil
    }
    return "data:image/png;base64,\(Data(bytes).base64EncodedString())"
  }
}
