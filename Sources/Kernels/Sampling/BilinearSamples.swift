import Compute
import Layers
import Tensors

/// Where each tap of each output pixel samples: shared by all channels of an offset group.
struct BilinearSamples {
  let geometry: ConvolutionGeometry
  let input: FeatureShape
  let output: FeatureShape
  /// The groups of channels that share offsets.
  let offsetGroups: Int

  private var samples: [BilinearSample]
  private var factors: [Float]

  /// The samples for offsets `[batch, height, width, offset groups · taps · 2]` and masks with one factor a tap.
  init(_ geometry: ConvolutionGeometry, input: FeatureShape, offset: Tensor, mask: Tensor?, threads: Int) {
    self.geometry = geometry
    self.input = input
    output = geometry.checkedOutput(input)
    offsetGroups = offset.shape[3] / (2 * geometry.taps)
    factors = mask?.values ?? []
    let slots = offsetGroups * geometry.taps
    // Where each tap reads from its pixel's corner.
    let grid = (0..<geometry.taps).map { tap in
      let reach = geometry.reach(ofTap: tap)
      return SIMD2(Float(reach.y - geometry.padding.top), Float(reach.x - geometry.padding.left))
    }
    let height = Int32(input.height), width = Int32(input.width), channels = Int32(input.channels)
    samples = Array(unsafeUninitializedCapacity: output.pixels * slots) {
      [output, offsetGroups] samples, count in
      guard let samples = samples.baseAddress else { return }
      offset.withPointer { offset in
        parallel(output.pixels, threads: threads, grain: 64) { range in
          for pixel in range {
            let row = Float(pixel / output.width % output.height * geometry.stride.height)
            let column = Float(pixel % output.width * geometry.stride.width)
            var index = pixel &* slots
            for _ in 0..<offsetGroups {
              for tap in grid {
                (samples + index).initialize(
                  to: BilinearSample(
                    y: row + tap.x + offset[2 &* index], x: column + tap.y + offset[2 &* index &+ 1],
                    height: height, width: width, channels: channels))
                index &+= 1
              }
            }
          }
        }
      }
      count = output.pixels * slots
    }
  }

  /// The decision between which pixels samples lie, made at an offset.
  struct Decision {
    let samples: BilinearSamples, offset: Tensor
  }

  /// Records what the definition decides, for studies that hold decisions.
  static func note(
    _ positions: Positions, _ geometry: ConvolutionGeometry, _ input: Tensor64, by sampling: AnyObject
  ) {
    guard let decisions = Decisions.ofDefinition, let offset = positions.offset.map({ Tensor($0) }) else {
      return
    }
    let shape = FeatureShape(
      batch: input.shape[0], height: input.shape[1], width: input.shape[2], channels: input.shape[3])
    _ = decisions.made(by: sampling) {
      Decision(
        samples: BilinearSamples(
          geometry, input: shape, offset: offset, mask: positions.mask.map { Tensor($0) }, threads: 1),
        offset: offset)
    }
  }

  /// The samples at another offset, with another mask, between the same pixels.
  func moved(from old: Tensor, to new: Tensor, mask: Tensor?) -> BilinearSamples {
    var result = self
    withPointers(old, new) { old, new in
      for index in samples.indices {
        result.samples[index].fraction.y += new[2 * index] - old[2 * index]
        result.samples[index].fraction.x += new[2 * index + 1] - old[2 * index + 1]
      }
    }
    result.factors = mask?.values ?? []
    return result
  }

  /// Channels that share an offset.
  var channelsPerOffset: Int { input.channels / offsetGroups }

  /// The sample and the mask's factor of a pixel, an offset group and a tap.
  @inline(__always)
  func sample(_ pixel: Int, _ group: Int, _ tap: Int) -> (BilinearSample, Float) {
    let index = (pixel &* offsetGroups &+ group) &* geometry.taps &+ tap
    return (samples[index], factors.isEmpty ? 1 : factors[index])
  }

  /// Where the image of an output pixel starts.
  @inline(__always)
  func image(_ pixel: Int, _ x: UnsafePointer<Float>) -> UnsafePointer<Float> {
    x + pixel / (output.height &* output.width) &* (input.height &* input.width &* input.channels)
  }

  /// Writes what a pixel reads at a tap from its image: one row of all channels.
  @inline(__always)
  func interpolate(
    _ pixel: Int, _ tap: Int, image: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    into row: UnsafeMutablePointer<Float>
  ) {
    for group in 0..<offsetGroups {
      let (sample, factor) = sample(pixel, group, tap)
      let first = group &* channelsPerOffset
      BilinearSampling.interpolate(
        image + first, sample, scale: factor, zeros: zeros, into: row + first, channels: channelsPerOffset)
    }
  }
}
