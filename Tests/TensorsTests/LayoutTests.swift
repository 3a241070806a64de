import Testing

@testable import Tensors

@Suite struct LayoutTests {
  /// A tensor whose values are their own row-major positions.
  private func counting(_ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map(Float.init), shape)
  }

  @Test func featuresGoFromNCHWToNHWCAndBack() {
    let file = counting([2, 3, 4, 5])
    let memory = file.fromFileOrder(.features)
    #expect(memory.shape == [2, 4, 5, 3])
    for n in 0..<2 {
      for c in 0..<3 {
        for h in 0..<4 {
          for w in 0..<5 {
            #expect(memory[((n * 4 + h) * 5 + w) * 3 + c] == file[((n * 3 + c) * 4 + h) * 5 + w])
          }
        }
      }
    }
    #expect(memory.toFileOrder(.features) == file)
    #expect(TensorLayout.features.fileShape(memory.shape) == file.shape)
  }

  @Test func weightsGoFromOIHWToHWIOAndBack() {
    let file = counting([6, 2, 3, 5])
    let memory = file.fromFileOrder(.convolution)
    #expect(memory.shape == [3, 5, 2, 6])
    for o in 0..<6 {
      for i in 0..<2 {
        for h in 0..<3 {
          for w in 0..<5 {
            #expect(memory[((h * 5 + w) * 2 + i) * 6 + o] == file[((o * 2 + i) * 3 + h) * 5 + w])
          }
        }
      }
    }
    #expect(memory.toFileOrder(.convolution) == file)
    #expect(TensorLayout.convolution.fileShape(memory.shape) == file.shape)
  }

  @Test func matricesAreTransposed() {
    let memory = counting([2, 3]).fromFileOrder(.matrix)
    #expect(memory == Tensor([0, 3, 1, 4, 2, 5], [3, 2]))
    #expect(memory.toFileOrder(.matrix) == counting([2, 3]))
  }

  @Test func plainTensorsStay() {
    #expect(counting([3, 2, 2]).fromFileOrder(.plain) == counting([3, 2, 2]))
    #expect(counting([3, 2, 2]).toFileOrder(.plain) == counting([3, 2, 2]))
  }

  @Test func emptyTensorsKeepTheirExtents() {
    #expect(Tensor(uninitialized: [0, 3, 4, 5]).fromFileOrder(.features).shape == [0, 4, 5, 3])
    #expect(Tensor(uninitialized: [2, 4, 0, 3]).toFileOrder(.features).shape == [2, 3, 4, 0])
  }
}
