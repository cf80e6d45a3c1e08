/// The YAML between two lines of `---` at a file's beginning, of which only the title matters.
struct FrontMatter {
    let title: String?
    /// Where the document begins.
    let end: Int

    /// Front matter is short; a rule at the top of a long text without another is just a rule.
    private static let limit = 65536

    init?(_ bytes: [UInt8]) {
        var lines = bytes.prefix(Self.limit).split(separator: 0x0A, omittingEmptySubsequences: false)[...]
        guard lines.popFirst()?.trimmed().elementsEqual("---".utf8) == true else { return nil }
        var title: String?
        while let line = lines.popFirst() {
            let text = line.trimmed()
            if text.elementsEqual("---".utf8) || text.elementsEqual("...".utf8) {
                self.title = title
                end = Swift.min(line.endIndex + 1, bytes.count)
                return
            }
            if title == nil, line.starts(with: "title:".utf8) { title = Self.scalar(line.dropFirst(6)) }
        }
        return nil
    }

    /// A plain or quoted scalar; nil for anything else that YAML allows.
    private static func scalar(_ text: ArraySlice<UInt8>) -> String? {
        var text = text.trimmed()
        if let quote = text.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            guard text.count > 1, text.last == quote else { return nil }
            text = text.dropFirst().dropLast()
        } else if let first = text.first, "|>[{&*!".utf8.contains(first) {
            return nil
        }
        var prose = Prose(isOneLine: true)
        prose.append(text)
        return prose.bytes.isEmpty ? nil : String(decoding: prose.bytes, as: UTF8.self)
    }
}

/// The anchors that GitHub gives headings.
struct Slugs {
    private var used: [String: Int] = [:]

    /// The heading's anchor: lowercase letters, digits, hyphens and underscores; `-1`, `-2` for repetitions.
    mutating func next(for heading: String) -> String {
        var slug = ""
        for scalar in heading.lowercased().unicodeScalars {
            if scalar == " " {
                slug.append("-")
            } else if scalar == "-" || scalar == "_" || scalar.isWordlike {
                slug.unicodeScalars.append(scalar)
            }
        }
        slug = String(slug.unicodeScalars.prefix(300))
        defer { used[slug, default: 0] += 1 }
        return used[slug].map { "\(slug)-\($0)" } ?? slug
    }
}

extension Unicode.Scalar {
    /// A letter, a mark on one, or a number.
    fileprivate var isWordlike: Bool {
        if isASCII { return UInt8(value).isAlphanumeric }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .nonspacingMark,
            .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber, .connectorPunctuation:
            return true
        default: return false
        }
    }
}
