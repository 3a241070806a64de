import Layers
import Tensors

extension ProxyProbe {
  /// The log-determinant of the matrix that says, for each two images, in how many ReLUs they agree: both above zero
  /// or both not.
  func naswot() throws(ProxyRefusal) -> Double {
    let codes = ReLUCodes(images: batch.images.shape[0])
    var context = deciding
    context.observer = codes.observer
    _ = network.forward(batch.images, context)
    if let layer = codes.misshapen {
      throw ProxyRefusal(
        "\(layer.typeName) changes the number of images, so its codes cannot be assigned to images."
      )
    }
    guard codes.units > 0 else { throw ProxyRefusal("the network has no ReLUs.") }
    guard let result = codes.agreements.logDeterminant else {
      throw ProxyRefusal("some images have the same ReLU patterns, so the determinant is zero.")
    }
    return result
  }
}

/// For each image, whether each ReLU's output is above zero.
private final class ReLUCodes {
  private(set) var units = 0
  /// A ReLU whose output has not one row for each image.
  private(set) var misshapen: (any Layer)?
  private var codes: [[UInt64]]

  init(images: Int) { codes = Array(repeating: [], count: images) }

  var observer: Observer {
    Observer(rectified: { [self] layer, output in
      if output.shape[0] == codes.count { append(output) } else { misshapen = layer }
    })
  }

  private func append(_ output: Tensor) {
    let length = output.count / max(codes.count, 1)
    units += length
    output.withPointer { y in
      for image in codes.indices {
        let row = y + image * length
        // Units that a last word has no bits for stay zero in all images, and so do not differ.
        for first in stride(from: 0, to: length, by: 64) {
          var word: UInt64 = 0
          for unit in first..<min(first + 64, length) where row[unit] > 0 {
            word |= 1 << UInt64(unit - first)
          }
          codes[image].append(word)
        }
      }
    }
  }

  var agreements: SymmetricMatrix {
    SymmetricMatrix(codes.count) { a, b in
      Double(units - zip(codes[a], codes[b]).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount })
    }
  }
}
