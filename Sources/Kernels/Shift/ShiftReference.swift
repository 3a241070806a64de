import Tensors

/// The plain definition of the shift operator, in double precision.
enum ShiftReference {
  /// How far channel c of C reads from its place: dx = (c mod k) − k/2, dy = (⌊c/k⌋ mod k) − k/2, and the channels
  /// that fill no whole round of k² stay.
  static func displacement(_ channel: Int, of channels: Int, _ geometry: ConvolutionGeometry) -> (
    dy: Int, dx: Int
  ) {
    let k = geometry.kernel.height
    guard channel < channels / (k * k) * (k * k) else { return (0, 0) }
    return (
      (channel / k % k - k / 2) * geometry.dilation.height, (channel % k - k / 2) * geometry.dilation.width
    )
  }

  /// y[h, w, c] = x[h·stride + dy, w·stride + dx, c], zeros outside
  static func forward(_ x: Tensor64, _ geometry: ConvolutionGeometry) -> Tensor64 {
    let height = (x.shape[1] - 1) / geometry.stride.height + 1
    let width = (x.shape[2] - 1) / geometry.stride.width + 1
    var y = Tensor64(repeating: 0, [x.shape[0], height, width, x.shape[3]])
    for image in 0..<x.shape[0] {
      for row in 0..<height {
        for column in 0..<width {
          for channel in 0..<x.shape[3] {
            let (dy, dx) = displacement(channel, of: x.shape[3], geometry)
            let h = row * geometry.stride.height + dy, w = column * geometry.stride.width + dx
            if h >= 0, h < x.shape[1], w >= 0, w < x.shape[2] {
              y[image, row, column, channel] = x[image, h, w, channel]
            }
          }
        }
      }
    }
    return y
  }

  /// dx[h·stride + dy, w·stride + dx, c] = g[h, w, c]
  static func backward(_ g: Tensor64, _ input: [Int], _ geometry: ConvolutionGeometry) -> Tensor64 {
    var dx = Tensor64(repeating: 0, input)
    for image in 0..<g.shape[0] {
      for row in 0..<g.shape[1] {
        for column in 0..<g.shape[2] {
          for channel in 0..<g.shape[3] {
            let (dy, dxShift) = displacement(channel, of: g.shape[3], geometry)
            let h = row * geometry.stride.height + dy, w = column * geometry.stride.width + dxShift
            if h >= 0, h < input[1], w >= 0, w < input[2] {
              dx[image, h, w, channel] = g[image, row, column, channel]
            }
          }
        }
      }
    }
    return dx
  }
}
