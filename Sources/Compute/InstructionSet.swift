/// The instruction set that the arithmetic was compiled for.
package enum InstructionSet {
  /// The floats of a vector.
  package static var lanes: Int { Vector.scalarCount }

  /// `avx512`, `avx2` or `portable`, as chosen in Package.swift.
  package static var built: String {
    #if WORKBENCH_AVX512
      "avx512"
    #elseif WORKBENCH_FMA
      "avx2"
    #else
      "portable"
    #endif
  }

  /// The processor features that a build of this instruction set needs, as Linux names them.
  package static var required: [String] {
    switch built {
    case "avx512": ["avx512f", "avx512vl", "avx512dq", "avx512bw", "avx2", "fma"]
    case "avx2": ["avx2", "fma"]
    default: []
    }
  }
}

// What depends on the instruction set: the vector width and the tile sizes. (Instructions by name are in Vector.swift,
// MaximumStep.swift and SpreadTile.swift.) The sums of a tile must leave vector registers free for the factors; AVX-512
// has 32 registers, the others 16.
#if WORKBENCH_AVX512
  typealias Vector = SIMD16<Float>
  typealias VectorBits = SIMD16<UInt32>
  typealias VectorIndices = SIMD16<Int32>
  typealias VectorPairs = SIMD8<UInt64>

  /// The output pixels of a full tile of the indirect GEMM.
  let tileRows = 12
  /// The rows of a full tile of complex numbers.
  let complexTileRows = 12
  /// The neighbouring pixels of a full tile of a sliding convolution.
  let slidingTilePixels = 16
  /// The channels of a full tile of a weight gradient: with one vector of outputs, with two, and sliding.
  let weightTileChannels = (single: 16, pair: 8, sliding: 8)
#else
  typealias Vector = SIMD8<Float>
  typealias VectorBits = SIMD8<UInt32>
  typealias VectorIndices = SIMD8<Int32>
  typealias VectorPairs = SIMD4<UInt64>

  let tileRows = 6
  let complexTileRows = 4
  let slidingTilePixels = 8
  let weightTileChannels = (single: 4, pair: 4, sliding: 4)
#endif

/// The output channels of a full tile of the indirect GEMM: two vectors.
let tileWidth = 2 &* Vector.scalarCount
