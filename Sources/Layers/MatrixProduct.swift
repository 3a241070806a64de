import Compute
import Tensors

/// Products of row-major matrices, by the microkernels of the convolutions.
public enum MatrixProduct {
  /// a · b: `[n, k]`, `[k, m]` → `[n, m]`.
  public static func plain(_ a: Tensor, _ b: Tensor, threads: Int) -> Tensor {
    let packed = PackedWeights(forward: b.reshaped([1, 1] + b.shape), groups: 1, threads: threads)
    var result = Tensor(uninitialized: [a.shape[0], b.shape[1]])
    multiplyRows(a, packed, bias: nil, into: &result, threads: threads)
    return result
  }

  /// a · bᵀ: `[n, k]`, `[m, k]` → `[n, m]`.
  public static func transposingSecond(_ a: Tensor, _ b: Tensor, threads: Int) -> Tensor {
    let packed = PackedWeights(backward: b.reshaped([1, 1] + b.shape), groups: 1, threads: threads)
    var result = Tensor(uninitialized: [a.shape[0], b.shape[0]])
    multiplyRows(a, packed, bias: nil, into: &result, threads: threads)
    return result
  }

  /// aᵀ · b: `[k, n]`, `[k, m]` → `[n, m]`.
  public static func transposingFirst(_ a: Tensor, _ b: Tensor, threads: Int) -> Tensor {
    let (rows, channels, outputs) = (a.shape[0], a.shape[1], b.shape[1])
    var result = Tensor(uninitialized: [channels, outputs])
    withPointers(a, b) { a, b in
      result.withMutablePointer {
        indirectWeightGradient(
          rows: rows, groups: 1, taps: 1, channels: channels, outputs: outputs, gradient: b, result: $0,
          threads: threads
        ) { _, range, pointers, _ in
          for row in range { pointers[row - range.lowerBound] = a + row * channels }
        }
      }
    }
    return result
  }
}

/// `output = input · weights + bias`, row by row: both are `[rows][channels]`.
func multiplyRows(
  _ input: Tensor, _ weights: PackedWeights, bias: UnsafePointer<Float>?, into output: inout Tensor,
  threads: Int
) {
  let channels = weights.channels, outputs = weights.outputs
  let rows = input.count / channels
  input.withPointer { x in
    output.withMutablePointer { y in
      indirectGEMM(
        rows: rows, weights: weights,
        epilogue: EpiloguePointers(bias: bias, output: y), threads: threads
      ) { range, table in
        table.setTap(slot: 0, 0)
        let slot = table.slot(0), out = table.outputRows
        for row in range {
          slot[row - range.lowerBound] = x + row * channels
          out[row - range.lowerBound] = y + row * outputs
        }
        return 1
      }
    }
  }
}
