import Experiments
import Foundation
import Testing

/// Tables as JSON, read back by Foundation.
struct JSONTests {
  @Test func cellsThatAreNumbersAreNumbers() throws {
    let numbers = ["1", "-0.5", "1.5e-06"]
    let texts = ["01", "1x1", "nan", "+1", "a \"b\" \\ \n é\u{301},", "1\u{301}", ".5", "1."]
    let cells = numbers + texts + [""]
    var table = CSVTable(columns: cells.indices.map { "c\($0)" })
    table.append(Dictionary(uniqueKeysWithValues: zip(table.columns, cells)))
    let text = CSVTable.json(["one \"table\"": table, "empty": CSVTable(columns: ["c"])])
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [[String: Any]]])
    #expect(object["empty"]?.isEmpty == true)
    let row = try #require(object["one \"table\""]?.first)
    for (column, cell) in zip(table.columns, cells) {
      if numbers.contains(cell) {
        #expect(row[column] as? Double == Double(cell))
      } else if cell.isEmpty {
        #expect(row[column] is NSNull)
      } else {
        #expect(row[column] as? String == cell)
      }
    }
  }
}
