/// Lines of ours in a file of somebody else's, between two lines that say so. Pure.
struct MarkedBlock: Sendable, Hashable {
    private static let beginning = "# >>> octavo: from here to the end mark, written by `octavo install`"
    private static let end = "# <<< octavo"

    /// Where the lines go the first time; a block that is there already is brought up to date in its place.
    enum Place: Sendable {
        case top, bottom
    }

    let lines: [String]
    let place: Place

    /// The file with the lines as they should be. Other lines stay as they are, to the byte.
    func added(to text: String) -> String {
        let block = ([Self.beginning] + lines + [Self.end]).map { $0 + "\n" }.joined()
        if let range = Self.range(in: text) { return text.replacingCharacters(in: range, with: block) }
        switch place {
        case .top: return block + text
        case .bottom: return text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + block
        }
    }

    /// The file without any block of ours.
    static func removed(from text: String) -> String {
        guard let range = range(in: text) else { return text }
        return text.replacingCharacters(in: range, with: "")
    }

    /// From the first mark to the end of the last one's line; a block that has lost its end is none of ours to guess at.
    private static func range(in text: String) -> Range<String.Index>? {
        var start: String.Index?
        var place = text.startIndex
        while place < text.endIndex {
            let lineEnd = text[place...].firstIndex(of: "\n").map { text.index(after: $0) } ?? text.endIndex
            let line = text[place..<lineEnd]
            if line.hasPrefix(beginning) { start = place }
            if let start, line.hasPrefix(end) { return start..<lineEnd }
            place = lineEnd
        }
        return nil
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
