/// Cuts a model's text, as it comes, into claims with their marks. Pure; how the text was cut into pieces on its way makes
/// no difference.
struct ClaimSplitter {
    /// A piece of text that stands or falls as a whole: a sentence, a line of a list or a table, a block of code.
    struct Claim: Equatable {
        /// A part of it that has marks of its own.
        struct Segment: Equatable {
            var text: String
            var marks: [Mark]
        }

        /// The white space before it.
        var space: String
        var segments: [Segment]

        var text: String { segments.map(\.text).joined() }
        var marks: [Mark] { segments.flatMap(\.marks) }
    }

    /// The most bytes a model may write without ending a claim; more is cut there.
    private static let longestClaim = 8_000
    private static let fence = "```"

    /// The sections there are to be named.
    var sections: Set<Int> = []
    private var buffer = ""
    private var thinking = Thinking()

    init(sections: Set<Int> = []) {
        self.sections = sections
    }

    /// The claims whose end has become certain: another character than a mark or white space follows.
    mutating func append(_ text: String) -> [Claim] {
        buffer += thinking.withoutThoughts(text)
        return claims(isFinal: false)
    }

    /// What is left when no more text comes.
    mutating func finish() -> [Claim] {
        buffer += thinking.rest()
        defer { buffer = "" }
        return claims(isFinal: true)
    }

    private mutating func claims(isFinal: Bool) -> [Claim] {
        var claims: [Claim] = []
        while let (claim, rest) = firstClaim(of: buffer[...], isFinal: isFinal) {
            claims.append(claim)
            buffer = String(rest)
        }
        return claims
    }

    private func firstClaim(of text: Substring, isFinal: Bool) -> (Claim, rest: Substring)? {
        let body = text.drop(while: \.isWhitespace)
        guard !body.isEmpty, isFinal || !Self.fence.hasPrefix(body) else { return nil }
        let space = String(text[..<body.startIndex])
        guard
            let (segments, end) = body.hasPrefix(Self.fence)
                ? code(body, isFinal: isFinal) : sentence(body, isFinal: isFinal)
        else {
            return nil
        }
        return (Claim(space: space, segments: segments), body[end...])
    }

    /// A block of code, up to behind its closing fence, and the marks behind that.
    private func code(_ body: Substring, isFinal: Bool) -> ([Claim.Segment], end: Substring.Index)? {
        let (window, isWhole) = body.prefix(bytes: Self.longestClaim)
        let end: Substring.Index
        if let close = window.dropFirst(Self.fence.count).firstRange(of: "\n\(Self.fence)") {
            end = close.upperBound
        } else {
            guard isFinal || !isWhole else { return nil }
            end = window.endIndex
        }
        guard let (marks, behind) = marks(in: body, behind: end, isFinal: isFinal) else { return nil }
        return ([Claim.Segment(text: String(body[..<end]), marks: marks)], behind)
    }

    /// A sentence up to behind its point, or a line, with the marks in it and behind it; nil while more may belong to it.
    private func sentence(_ body: Substring, isFinal: Bool) -> ([Claim.Segment], end: Substring.Index)? {
        var segments: [Claim.Segment] = []
        var start = body.startIndex
        let isTableRow = body.hasPrefix("|")
        while true {
            let (window, isWhole) = body[start...].prefix(bytes: Self.longestClaim)
            let line = window.prefix { !$0.isNewline }
            let mark = firstMark(in: line, of: body, isFinal: isFinal)
            let piece = line[..<(mark?.start ?? line.endIndex)]
            var end = isTableRow ? nil : Sentences.end(of: piece)
            if end == nil, mark == nil {
                guard isFinal || line.endIndex < window.endIndex || !isWhole else { return nil }
                end = line.endIndex
            }
            if let end {
                guard let (marks, behind) = marks(in: body, behind: end, isFinal: isFinal) else { return nil }
                return (segments + [Claim.Segment(text: String(body[start..<end]), marks: marks)], behind)
            }
            guard let mark, case .marks = mark.reading,
                let (marks, behind) = marks(in: body, behind: mark.start, isFinal: isFinal)
            else { return nil }
            var segment = Claim.Segment(text: String(piece), marks: marks)
            guard let step = step(behind, in: body, after: &segment, isTableRow: isTableRow, isFinal: isFinal) else {
                return nil
            }
            segments.append(segment)
            start = step.next
            if step.isEnd { return (segments, start) }
        }
    }

    /// Whether a sentence ends behind marks that stand within it, and where to go on.
    private func step(
        _ index: Substring.Index,
        in body: Substring,
        after segment: inout Claim.Segment,
        isTableRow: Bool,
        isFinal: Bool
    ) -> (next: Substring.Index, isEnd: Bool)? {
        let rest = body[index...]
        guard let next = rest.first else { return isFinal ? (index, true) : nil }
        let trimmed = Substring(segment.text).trimmingWhitespace()
        if ".!?。！？".contains(next) {
            // The point belongs to the sentence, not behind its marks. One that stands there already is enough.
            segment.text = trimmed.last == next ? String(trimmed) : trimmed + String(next)
            guard let (marks, behind) = marks(in: body, behind: rest.index(after: index), isFinal: isFinal) else {
                return nil
            }
            segment.marks += marks
            return (behind, true)
        }
        if let last = trimmed.last, ".!?。！？".contains(last) { return (index, true) }
        let behind = rest.drop(while: \.isWhitespace)
        if rest[..<behind.startIndex].contains(where: \.isNewline) { return (index, true) }
        guard let first = behind.first else { return isFinal ? (index, true) : nil }
        return (index, !isTableRow && behind.startIndex > index && first.isUppercase)
    }

    private func firstMark(
        in line: Substring,
        of body: Substring,
        isFinal: Bool
    ) -> (start: Substring.Index, reading: Mark.Reading)? {
        var before: Character = " "
        for index in line.indices {
            // `a[1]` is an element of an array.
            let isPlace = !(before.isLetter || before.isNumber || before == "]" || before == "[" || before == "_")
            if line[index] == "[", isPlace || line[index...].hasPrefix("[[") {
                let reading = Mark.read(body[index...], isFinal: isFinal, known: sections)
                guard case .none = reading else { return (index, reading) }
            }
            before = line[index]
        }
        return nil
    }

    /// The marks behind an index, with white space before each; nil while another may come.
    private func marks(
        in body: Substring,
        behind start: Substring.Index,
        isFinal: Bool
    ) -> ([Mark], end: Substring.Index)? {
        // Behind a point no list begins.
        let endsSentence = body[..<start].last.map { ".!?。！？".contains($0) } == true
        var marks: [Mark] = []
        var end = start
        while true {
            let rest = body[end...].drop(while: \.isWhitespace)
            guard let first = rest.first else { return isFinal ? (marks, end) : nil }
            guard first == "[" else { return (marks, end) }
            switch Mark.read(rest, isFinal: isFinal, known: endsSentence ? nil : sections) {
            case .none: return (marks, end)
            case .incomplete: return nil
            case .marks(let more, let behind):
                marks += more
                end = behind
            }
        }
    }
}

/// Leaves out what reasoning models think aloud between `<think>` and `</think>` before they answer.
private struct Thinking {
    private enum State { case undecided, thinking, answering }
    private static let begin = "<think>"
    private static let end = "</think>"

    private var state = State.undecided
    private var held = ""

    /// The part of the text that belongs to the answer.
    mutating func withoutThoughts(_ text: String) -> String {
        guard state != .answering else { return text }
        held += text
        if state == .undecided {
            let start = held.drop(while: \.isWhitespace)
            if start.hasPrefix(Self.begin) {
                state = .thinking
            } else if !Self.begin.hasPrefix(start) {
                state = .answering
                return rest()
            }
        }
        guard state == .thinking else { return "" }
        guard let close = held.firstRange(of: Self.end) else {
            // Enough to recognise an end that is cut in two.
            held = String(held.suffix(Self.end.count))
            return ""
        }
        state = .answering
        held = String(held[close.upperBound...])
        return rest()
    }

    /// What was held back and turned out to be text.
    mutating func rest() -> String {
        defer { held = "" }
        return state == .thinking ? "" : held
    }
}
