/// A regular expression of JSON Schema: it holds when it is found anywhere in a text.
///
/// Matched in time linear in the text, whatever the expression: neither those who write a schema nor the models that
/// fill it in can make a process hang. That leaves out what a finite automaton cannot do, looking ahead and referring
/// back; such an expression is refused. The library's own `Regex` gives no such bound, and means other things by `\d`
/// and `.` than JSON Schema does.
struct Pattern: Sendable {
    /// Unicode characters of one expression.
    static let longest = 1_000
    /// The highest number in braces: what is repeated is written out that often.
    static let mostRepetitions = 1_000
    /// Steps of one expression, its repetitions written out: each costs a little time for each character of the text.
    static let mostSteps = 4_096

    enum Step: Sendable {
        case take(ScalarSet)
        case assert(PatternAssertion)
        case fork(Int, Int)
        case jump(Int)
        case match
    }

    /// As it was written.
    let source: String
    private let steps: [Step]

    init(_ source: String) throws(PatternError) {
        guard source.unicodeScalars.count <= Self.longest else {
            throw PatternError("is longer than \(Self.longest) characters")
        }
        var parser = PatternParser(source)
        var writer = PatternWriter()
        try writer.write(try parser.parse())
        try writer.append(.match)
        self.source = source
        self.steps = writer.steps
    }

    /// Whether it is found in `text`; `nil` when that takes more than `work` steps, of which those done are taken off.
    func isFound(in text: String, work: inout Int) -> Bool? {
        var search = PatternSearch(steps: steps)
        var before: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if search.start(before: before, after: scalar, work: &work) { return true }
            guard work >= 0 else { return nil }
            search.take(scalar)
            before = scalar
        }
        return search.start(before: before, after: nil, work: &work)
    }
}

/// Why an expression cannot be used: the rest of a sentence that begins with it.
struct PatternError: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// Writes parts as steps.
private struct PatternWriter {
    var steps: [Pattern.Step] = []

    mutating func append(_ step: Pattern.Step) throws(PatternError) {
        guard steps.count < Pattern.mostSteps else {
            throw PatternError("has more than \(Pattern.mostSteps) steps when its repetitions are written out")
        }
        steps.append(step)
    }

    mutating func write(_ part: PatternPart) throws(PatternError) {
        switch part {
        case .one(let set): try append(.take(set))
        case .assertion(let assertion): try append(.assert(assertion))
        case .sequence(let parts): for part in parts { try write(part) }
        case .choice(let choices): try write(choices: choices)
        case .repeated(let part, let least, let most):
            for _ in 0..<least {
                let before = steps.count
                try write(part)
                // Nothing, written out a thousand times in a thousand times, is still nothing.
                if steps.count == before { break }
            }
            guard let most else { return try writeLoop(part) }
            for _ in least..<most { try writeOptional { writer throws(PatternError) in try writer.write(part) } }
        }
    }

    private mutating func write(choices: [PatternPart]) throws(PatternError) {
        var jumps: [Int] = []
        for choice in choices.dropLast() {
            let fork = steps.count
            try append(.fork(fork + 1, 0))
            try write(choice)
            jumps.append(steps.count)
            try append(.jump(0))
            steps[fork] = .fork(fork + 1, steps.count)
        }
        if let last = choices.last { try write(last) }
        for jump in jumps { steps[jump] = .jump(steps.count) }
    }

    private mutating func writeLoop(_ part: PatternPart) throws(PatternError) {
        let fork = steps.count
        try writeOptional { writer throws(PatternError) in
            try writer.write(part)
            try writer.append(.jump(fork))
        }
    }

    private mutating func writeOptional(
        _ body: (inout PatternWriter) throws(PatternError) -> Void
    ) throws(PatternError) {
        let fork = steps.count
        try append(.fork(fork + 1, 0))
        try body(&self)
        steps[fork] = .fork(fork + 1, steps.count)
    }
}

/// Follows all ways through the steps at once, so that none is gone twice at one place of the text.
private struct PatternSearch {
    let steps: [Pattern.Step]
    /// Steps that wait for the next character.
    private var live: [Int] = []
    /// Where a step was last reached, counted in places of the text.
    private var reached: [Int]
    private var place = 0
    private var waiting: [Int] = []

    init(steps: [Pattern.Step]) {
        self.steps = steps
        self.reached = Array(repeating: 0, count: steps.count)
    }

    /// Begins a match here, and goes on with those that took the character before. True when one is complete.
    mutating func start(before: Unicode.Scalar?, after: Unicode.Scalar?, work: inout Int) -> Bool {
        place += 1
        live.removeAll(keepingCapacity: true)
        waiting.append(0)
        while let step = waiting.popLast() {
            work -= 1
            guard reached[step] != place else { continue }
            reached[step] = place
            switch steps[step] {
            case .take: live.append(step)
            case .jump(let target): waiting.append(target)
            case .fork(let one, let other): waiting += [other, one]
            case .assert(let assertion):
                if assertion.holds(before: before, after: after) { waiting.append(step + 1) }
            case .match: return true
            }
        }
        return false
    }

    mutating func take(_ scalar: Unicode.Scalar) {
        for step in live {
            if case .take(let set) = steps[step], set.contains(scalar) { waiting.append(step + 1) }
        }
    }
}

extension PatternAssertion {
    fileprivate func holds(before: Unicode.Scalar?, after: Unicode.Scalar?) -> Bool {
        func isWord(_ scalar: Unicode.Scalar?) -> Bool { scalar.map(ScalarSet.wordCharacters.contains) ?? false }
        return switch self {
        case .start: before == nil
        case .end: after == nil
        case .wordBoundary: isWord(before) != isWord(after)
        case .noWordBoundary: isWord(before) == isWord(after)
        }
    }
}
