extension Terminal {
    /// Rows under a head, each column as wide as its widest cell. Nothing without rows, not even the head.
    func table(_ head: [String], _ rows: [[String]]) {
        guard !rows.isEmpty else { return }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        func laidOut(_ cells: [String]) -> String {
            // The last one needs no spaces behind it.
            let padded = cells.enumerated().map { $0 + 1 == cells.count ? $1 : $1.padded(to: widths[$0]) }
            return padded.joined(separator: "  ")
        }
        line(styled(laidOut(head), .dim))
        for row in rows { line(laidOut(row)) }
    }
}
