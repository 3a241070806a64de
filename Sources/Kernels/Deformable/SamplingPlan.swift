import Compute
import Tensors

/// Where each tap of each output pixel samples: shared by all channels of an offset group.
struct SamplingPlan {
  let geometry: ConvolutionGeometry
  let input: FeatureShape
  let output: FeatureShape
  /// The groups of channels that share offsets.
  let offsetGroups: Int

  private let samples: [BilinearSample?]
  private let factors: [Float]

  /// The plan for offsets `[batch, height, width, offset groups · taps · 2]` and masks with one factor a tap.
  init(_ geometry: ConvolutionGeometry, input: FeatureShape, offset: Tensor, mask: Tensor?, threads: Int) {
    self.geometry = geometry
    self.input = input
    output = geometry.checkedOutput(input)
    offsetGroups = offset.shape[3] / (2 * geometry.taps)
    factors = mask?.values ?? []
    let slots = offsetGroups * geometry.taps
    samples = Array(unsafeUninitializedCapacity: output.pixels * slots) { [output] samples, count in
      offset.withPointer { offset in
        parallel(output.pixels, threads: threads, grain: 64) { range in
          for pixel in range {
            let row = pixel / output.width % output.height, column = pixel % output.width
            for slot in 0..<slots {
              let tap = slot % geometry.taps
              let y =
                row * geometry.stride.height - geometry.padding.top + tap / geometry.kernel.width
                * geometry.dilation.height
              let x =
                column * geometry.stride.width - geometry.padding.left + tap % geometry.kernel.width
                * geometry.dilation.width
              let index = pixel * slots + slot
              samples.initializeElement(
                at: index,
                to: BilinearSample(
                  y: Float(y) + offset[2 * index], x: Float(x) + offset[2 * index + 1], height: input.height,
                  width: input.width, channels: input.channels))
            }
          }
        }
      }
      count = output.pixels * slots
    }
  }

  /// Channels that share an offset.
  var channelsPerOffset: Int { input.channels / offsetGroups }

  /// The sample and the mask's factor of a pixel, an offset group and a tap.
  @inline(__always)
  func sample(_ pixel: Int, _ group: Int, _ tap: Int) -> (BilinearSample?, Float) {
    let index = (pixel &* offsetGroups &+ group) &* geometry.taps &+ tap
    return (samples[index], factors.isEmpty ? 1 : factors[index])
  }

  /// Writes what a pixel reads at a tap: one row of all channels.
  @inline(__always)
  func interpolate(
    _ pixel: Int, _ tap: Int, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    into row: UnsafeMutablePointer<Float>
  ) {
    let image = x + pixel / (output.height &* output.width) &* (input.height &* input.width &* input.channels)
    for group in 0..<offsetGroups {
      let (sample, factor) = sample(pixel, group, tap)
      let first = group &* channelsPerOffset
      Sampling.interpolate(
        image + first, sample, scale: factor, zeros: zeros, into: row + first, channels: channelsPerOffset)
    }
  }
}
