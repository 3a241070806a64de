import Foundation
import Tensors
import TestSupport
import Testing

@testable import Experiments

/// A page that is there is not replaced by a poorer one, and says where its tables are from.
@Suite struct ReportPageTests {
  let folder = TemporaryFolder()

  private func writeNetworks(_ accuracy: Int = 91) throws {
    let rows = ["a", "b", "c"].map { "\($0),m,d,\($0 == "a" ? accuracy : 92),\($0 == "a" ? 5 : 6),7\n" }
    try ("kernel,model,data,top1_mean,macs,params\n" + rows.joined()).write(
      to: folder.appendingPathComponent("networks.csv"), atomically: true, encoding: .utf8)
  }

  private func files() throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return Dictionary(
      uniqueKeysWithValues: names.compactMap { name in
        FileManager.default.contents(atPath: folder.appendingPathComponent(name).path).map { (name, $0) }
      })
  }

  @Test func picturesAreNotLostWithoutGnuplot() throws {
    try writeNetworks()
    let drawing = try LimitTests.gnuplot(
      "for p in *.gp; do echo \"<svg>$p</svg>\" >${p%.gp}.svg; echo x >${p%.gp}.png; done", in: folder.url)
    let drawn = try Report(folder: folder.path, drawing).write(.html)
    #expect(drawn.plots >= 2 && drawn.drawn == drawn.plots && drawn.warnings.isEmpty)
    let before = try files()
    // The pictures that are there serve again.
    let again = try Report(folder: folder.path, nil).write(.html)
    #expect(again.drawn == again.plots && again.warnings.isEmpty)
    #expect(try files() == before)

    // Other data, or a picture that is gone: everything stays as it is, and that is said.
    func refused(_ gnuplot: Gnuplot?, _ reason: String) throws {
      let before = try files()
      let error = #expect(throws: WorkbenchError.self) {
        try Report(folder: folder.path, gnuplot).write(.html)
      }
      let sentence = error?.description ?? ""
      #expect(sentence.contains("report.html was not changed") && sentence.contains(reason), "\(sentence)")
      #expect(try files() == before)
    }
    try writeNetworks(93)
    try refused(nil, "gnuplot is not installed")
    try refused(LimitTests.gnuplot("exit 1", in: folder.url), "gnuplot could not draw")
    try writeNetworks()
    let picture = try #require(before.keys.first { $0.hasSuffix(".svg") })
    try FileManager.default.removeItem(at: folder.appendingPathComponent(picture))
    try refused(nil, "because 1 of its pictures cannot be drawn again")

    // A new page has what there is, and no picture of other data stays beside it.
    try FileManager.default.removeItem(at: folder.appendingPathComponent("report.html"))
    try writeNetworks(93)
    let plain = try Report(folder: folder.path, nil).write(.html)
    #expect(plain.drawn == 0 && plain.warnings == [Gnuplot.advice])
    #expect(try !files().keys.contains { $0.hasSuffix(".svg") || $0.hasSuffix(".png") })
    #expect(try Report(folder: folder.path, drawing).write(.html).drawn == drawn.plots)
  }

  @Test func tablesSayWhereTheyAreFrom() throws {
    try writeNetworks()
    var machine = MachineRecord.current()
    machine.tables = ["networks.csv"]
    machine.recordsOfOtherBuilds = 3
    try machine.write(to: folder.appendingPathComponent("machine.json").path)
    try "kernel,layer\na,b\n".write(
      to: folder.appendingPathComponent("layers.csv"), atomically: true, encoding: .utf8)
    var data = try ReportData(folder.url)
    #expect(data.origin("networks") == "Made by: \(machine.origin)")
    #expect(data.origin("layers")?.hasPrefix("Made by another command") == true)
    let page = try ReportPage.html(data, title: "t", plots: [], pictures: [], notes: [])
    #expect(page.contains("Made by another command than the other tables"))
    #expect(page.contains("3 of its records are of other builds"))
    let table = try #require(PaperTables.tables(data).first)
    #expect(PaperTables.markdown(table).contains("Made by: \(machine.date)"))
    #expect(PaperTables.latex(table).hasPrefix("% Made by: "))
    // Earlier versions did not say which tables they made.
    machine.tables = nil
    try machine.write(to: folder.appendingPathComponent("machine.json").path)
    data = try ReportData(folder.url)
    #expect(data.origin("networks") == nil && data.origin("proxy_quality") != nil)
  }
}
