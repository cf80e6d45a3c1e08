extension Terminal {
    /// Rows under a head, each column as wide as its widest cell. Nothing without rows, not even the head.
    /// - Parameter style: of a cell, by its row and column.
    func table(_ head: [String], _ rows: [[String]], style: (_ row: Int, _ column: Int) -> Style? = { _, _ in nil }) {
        guard !rows.isEmpty else { return }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        func laidOut(_ cells: [String], style: (_ column: Int) -> Style?) -> String {
            cells.enumerated().map { column, cell in
                // The last one needs no spaces behind it.
                let padded = column + 1 == cells.count ? cell : cell.padded(to: widths[column])
                return style(column).map { styled(padded, $0) } ?? padded
            }
            .joined(separator: "  ")
        }
        line(styled(laidOut(head) { _ in nil }, .dim))
        for (number, row) in rows.enumerated() { line(laidOut(row) { style(number, $0) }) }
    }
}
