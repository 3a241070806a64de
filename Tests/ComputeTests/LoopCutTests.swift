import Testing

@testable import Compute

/// How loops are cut into ranges.
struct LoopCutTests {
  @Test(arguments: [1, 2, 3, 8], [1, 4, 16]) func rangesCoverEachIndexOnce(_ threads: Int, _ grain: Int) {
    for least in [1, 8] {
      for count in [0, 1, 2, 7, 15, 16, 17, 127, 128, 129, 1000] {
        let cut = LoopCut(count, threads: threads, grain: grain, least: least)
        #expect(cut.threads <= threads)
        let ranges = (0..<cut.ranges).map(cut.range)
        #expect(ranges.allSatisfy { $0.lowerBound % grain == 0 && !$0.isEmpty }, "\(ranges)")
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        #expect(sorted.flatMap(Array.init) == Array(0..<count))
        #expect(
          cut.ranges == cut.threads || sorted.allSatisfy { $0.count >= least * (grain - 1) }, "\(ranges)")
      }
    }
  }

  /// A thread that is done first finds work in the other's share.
  @Test func longSharesAreCutFurther() {
    let cut = LoopCut(160, threads: 2, grain: 1, least: 8)
    #expect(
      (0..<cut.ranges).map(cut.range) == [
        0..<40, 80..<120, 40..<60, 120..<140, 60..<70, 140..<150, 70..<80, 150..<160,
      ])
    #expect(LoopCut(126, threads: 2, grain: 1, least: 8).ranges == 2)
  }
}
