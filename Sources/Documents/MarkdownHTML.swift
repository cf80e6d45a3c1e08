/// A block of HTML in Markdown: which line begins one, and which ends it (CommonMark 0.31, 4.6).
struct MarkdownHTML {
    /// What ends the block on its own line; nil for a blank line.
    let terminator: String?
    var bytes: [UInt8] = []

    /// - Parameter isInParagraph: a lone tag that is not a block's begins a block only outside paragraphs.
    init?(_ line: ArraySlice<UInt8>, isInParagraph: Bool) {
        guard line.first == UInt8(ascii: "<"), let second = line.dropFirst().first else { return nil }
        if line.starts(with: "<!--".utf8) {
            terminator = "-->"
        } else if line.starts(with: "<![CDATA[".utf8) {
            terminator = "]]>"
        } else if second == UInt8(ascii: "?") {
            terminator = "?>"
        } else if second == UInt8(ascii: "!") {
            terminator = ">"
        } else {
            guard let end = Self.endOfTagBlock(line, isInParagraph: isInParagraph) else { return nil }
            terminator = end.isEmpty ? nil : end
        }
    }

    /// What ends the block that a tag begins, empty for a blank line; nil if it begins none.
    private static func endOfTagBlock(_ line: ArraySlice<UInt8>, isInParagraph: Bool) -> String? {
        let isEnd = line.dropFirst().first == UInt8(ascii: "/")
        let rest = line.dropFirst(isEnd ? 2 : 1)
        let name = rest.prefix { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
        let next = rest.dropFirst(name.count).first
        let isComplete = next == nil || next?.isSpace == true || next == UInt8(ascii: ">") || next == UInt8(ascii: "/")
        guard !name.isEmpty, isComplete else { return nil }
        switch HTMLName(name) {
        case .script?, .style?, .pre?, .textarea?:
            return isEnd ? "" : "</" + String(decoding: name, as: UTF8.self).lowercased()
        case let known? where known.kind == .block || known.kind == .dropped || known.isFlow:
            return ""
        default:
            // A tag alone on its line, of a component or an inline element.
            let trimmed = line.trimmed()
            let isAlone = trimmed.firstIndex(of: UInt8(ascii: ">")) == trimmed.endIndex - 1
            return isAlone && !isInParagraph ? "" : nil
        }
    }

    /// Whether the line, which has just been added, is the block's last.
    func ends(with line: ArraySlice<UInt8>) -> Bool {
        guard let terminator else { return false }
        return line.containsASCII(terminator)
    }
}

extension HTMLName {
    /// Elements without a text of their own that stand between blocks.
    fileprivate var isFlow: Bool {
        switch self {
        case .hr, .link, .meta, .base, .col, .colgroup, .tbody, .thead, .tfoot, .head, .html, .title, .iframe, .source,
            .track, .param, .optgroup, .option:
            true
        default: false
        }
    }
}

extension ArraySlice<UInt8> {
    /// Whether lowercase ASCII occurs, in any case.
    fileprivate func containsASCII(_ text: String) -> Bool {
        let text = Array(text.utf8)
        return indices.contains { index in
            index + text.count <= endIndex && zip(text, self[index...]).allSatisfy { $0 == $1.lowercased }
        }
    }
}
