/// A column of a table: its name, and its value for a row; nil is an empty cell.
package struct Column<Row> {
  let name: String
  let cell: (Row) -> (any CustomStringConvertible)?

  /// A column.
  package init(_ name: String, _ cell: @escaping (Row) -> (any CustomStringConvertible)?) {
    self.name = name
    self.cell = cell
  }

  /// Columns with the same cell in each row.
  package static func shared(_ cells: [(column: String, cell: String)]) -> [Column] {
    cells.map { shared in Column(shared.column) { _ in shared.cell } }
  }
}

extension CSVTable {
  /// A file's table.
  package init<Row>(_ rows: [Row], _ columns: [Column<Row>]) {
    self.init(columns: columns.map(\.name))
    for row in rows { append(row, columns) }
  }

  /// Adds a row.
  mutating func append<Row>(_ row: Row, _ columns: [Column<Row>]) {
    let cells = columns.compactMap { column in column.cell(row).map { (column.name, $0.description) } }
    append(Dictionary(cells) { $1 })
  }
}

extension TextTable {
  /// A table for people; what a row does not have is a dash.
  ///
  /// - Parameter left: the columns, by number, that are set to the left.
  package init<Row>(_ rows: [Row], _ columns: [Column<Row>], left: Set<Int> = [0]) {
    self.init(columns.map(\.name), left: left)
    for row in rows { append(columns.map { $0.cell(row)?.description ?? "–" }) }
  }
}
