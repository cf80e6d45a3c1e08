/// A model's reference to a section: `[[12: "words"]]`, `[[12]]`, or `[12]` as many are used to write.
struct Mark: Equatable, Sendable {
    var section: Int
    var quote: String?

    /// What stands at an opening bracket.
    enum Reading {
        /// Other text.
        case none
        /// A mark may be coming; more text is needed to tell.
        case incomplete
        /// Marks, and the index behind them. None of them is usable when the list is empty.
        case marks([Mark], end: Substring.Index)
    }

    /// A mark that is not closed within so many bytes is broken: a quotation is some sentences long.
    private static let longest = 4_000
    private static let openers: Set<Character> = ["\"", "“", "”", "„", "'", "‘", "’", "«", "`"]
    private static let closers: Set<Character> = ["\"", "”", "“", "'", "’", "‘", "»", "`"]

    /// Reads what begins with the bracket at the start of `text`; `isFinal` when no more text comes. In single brackets only
    /// `known` sections make a mark, when they are given: `[1, 2]` is a list in many languages.
    static func read(_ text: Substring, isFinal: Bool, known: Set<Int>?) -> Reading {
        let reading = text.hasPrefix("[[") ? readDouble(text) : readSingle(text, isFinal: isFinal, known: known)
        if case .incomplete = reading, isFinal { return broken(text) }
        return reading
    }

    /// An unfinished mark at the end, or one that is never closed: its line is not text either.
    private static func broken(_ text: Substring) -> Reading {
        guard text.hasPrefix("[["), text.dropFirst(2).contains(where: \.isNumber) else { return .none }
        return .marks([], end: text.firstIndex(where: \.isNewline) ?? text.endIndex)
    }

    private static func readDouble(_ text: Substring) -> Reading {
        var rest = text.dropFirst(2).drop { $0 == " " || $0 == "#" }
        if rest.lowercased().hasPrefix("section") { rest = rest.dropFirst(7).drop { $0 == " " } }
        let digits = rest.prefix(while: \.isWholeNumber)
        // `[[ -f file ]]`, `[[1, 2], [3]]`: only a number and a quotation make a mark.
        guard !digits.isEmpty, digits.count < 19, let section = Int(digits) else {
            return rest.isEmpty || "section".hasPrefix(rest.lowercased()) ? .incomplete : .none
        }
        rest = rest[digits.endIndex...].drop { $0 == " " }
        if rest.hasPrefix("]]") {
            return .marks([Mark(section: section)], end: rest.index(rest.startIndex, offsetBy: 2))
        }
        guard rest.count > 1 else { return .incomplete }
        rest = rest.drop { $0 == ":" || $0 == "," || $0.isWhitespace }
        guard let opener = rest.first else { return .incomplete }
        guard openers.contains(opener) else {
            if text[..<rest.startIndex].last != ":", !text[..<rest.startIndex].hasSuffix(": ") { return .none }
            return unquoted(rest, of: text, section: section)
        }
        return quoted(rest.dropFirst(), of: text, section: section)
    }

    /// The words up to a closing quotation mark with brackets behind it; quotations may hold brackets themselves.
    private static func quoted(_ words: Substring, of text: Substring, section: Int) -> Reading {
        let (window, isWhole) = words.prefix(bytes: longest)
        var index = window.startIndex
        while index < window.endIndex {
            let next = window.index(after: index)
            if closers.contains(window[index]) {
                let behind = window[next...].drop { $0.isWhitespace || $0 == "." }
                if behind.hasPrefix("]]") {
                    let quote = window[..<index].trimmingWhitespace()
                    return .marks(
                        [Mark(section: section, quote: String(quote))],
                        end: behind.index(behind.startIndex, offsetBy: 2)
                    )
                }
            }
            index = next
        }
        return isWhole ? .incomplete : unquoted(words, of: text, section: section)
    }

    private static func unquoted(_ words: Substring, of text: Substring, section: Int) -> Reading {
        let (window, isWhole) = words.prefix(bytes: longest)
        guard let close = window.firstRange(of: "]]") else { return isWhole ? .incomplete : broken(text) }
        let quote = window[..<close.lowerBound].trimmingWhitespace()
        return .marks([Mark(section: section, quote: quote.isEmpty ? nil : String(quote))], end: close.upperBound)
    }

    /// `[12]` or `[12, 15]`, but not the beginning of a link.
    private static func readSingle(_ text: Substring, isFinal: Bool, known: Set<Int>?) -> Reading {
        let inside = text.dropFirst().prefix { $0.isWholeNumber || $0 == "," || $0 == " " }
        // Nobody cites more sections at once than these bytes hold.
        guard inside.utf8.count < 60, inside.first?.isWholeNumber != false else { return .none }
        let rest = text[inside.endIndex...]
        guard let close = rest.first else { return .incomplete }
        guard close == "]", !inside.isEmpty else { return .none }
        let behind = rest.dropFirst()
        guard let next = behind.first ?? (isFinal ? " " : nil) else { return .incomplete }
        let sections = inside.split { $0 == "," || $0 == " " }.compactMap { Int($0) }
        guard !"([]:".contains(next), known.map({ $0.isSuperset(of: sections) }) != false else { return .none }
        return .marks(sections.map { Mark(section: $0) }, end: behind.startIndex)
    }
}

extension Mark {
    init(section: Int) {
        self.init(section: section, quote: nil)
    }
}

extension Substring {
    /// As many whole characters from the beginning as fit into so many bytes, and whether that is all.
    func prefix(bytes: Int) -> (Substring, isWhole: Bool) {
        guard let end = utf8.index(startIndex, offsetBy: bytes, limitedBy: endIndex), end < endIndex else {
            return (self, true)
        }
        var boundary = end
        while boundary > startIndex, Index(boundary, within: self) == nil { boundary = utf8.index(before: boundary) }
        return (self[..<boundary], false)
    }
}
