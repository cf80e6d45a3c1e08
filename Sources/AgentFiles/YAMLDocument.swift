import Agents
import Yams

/// A YAML file as a JSON value that still knows where everything stands.
///
/// Scalars are read as YAML 1.2 reads them, so that `no` is a word and Norway a country. An alias is written out; what
/// it grows to is bounded.
struct YAMLDocument {
    /// Bytes of a file: instructions of a hundred pages are too long for a model as well.
    static let mostBytes = 256 * 1024
    /// Values in it, aliases written out.
    private static let mostValues = 10_000
    private static let deepest = 32
    /// Bytes of a name that is looked for in the text: nobody needs a longer one.
    private static let longestName = 200

    let file: String
    private(set) var value: JSONValue = .null
    /// Where the values stand, by JSON Pointer; a member's place is that of its name.
    private var places: [String: AgentFileProblem.Place] = [:]
    /// As it is written.
    private let lines: [Substring]

    init(_ text: String, file: String) throws(AgentFileProblem) {
        self.file = file
        // Some editors begin a file with a mark of its encoding.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        guard text.utf8.count <= Self.mostBytes else {
            throw AgentFileProblem(file: file, message: "the file has more than \(Self.mostBytes / 1024) KiB")
        }
        lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw problem(error)
        }
        guard let root else { throw AgentFileProblem(file: file, message: "the file is empty") }
        value = try read(root, at: "", depth: 0)
    }

    /// Where the value at `pointer` stands, or the nearest around it.
    func place(of pointer: String) -> AgentFileProblem.Place? {
        var pointer = pointer[...]
        while true {
            if let place = places[String(pointer)] { return place }
            guard let slash = pointer.lastIndex(of: "/") else { return nil }
            pointer = pointer[..<slash]
        }
    }

    func problem(at pointer: String, _ message: String) -> AgentFileProblem {
        AgentFileProblem(file: file, place: place(of: pointer), message: message)
    }

    private mutating func read(_ node: Node, at pointer: String, depth: Int) throws(AgentFileProblem) -> JSONValue {
        if places[pointer] == nil, let mark = node.mark {
            places[pointer] = AgentFileProblem.Place(line: mark.line, column: mark.column)
        }
        guard depth < Self.deepest else { throw problem(at: pointer, Self.tooDeep) }
        guard places.count < Self.mostValues else {
            throw problem(at: pointer, "there are more than \(Self.mostValues) values, with what stands for aliases")
        }
        switch node {
        case .scalar(let scalar): return try read(scalar, at: pointer)
        case .sequence(let sequence):
            var items: [JSONValue] = []
            for (index, item) in sequence.enumerated() {
                items.append(try read(item, at: "\(pointer)/\(index)", depth: depth + 1))
            }
            return .array(items)
        case .mapping(let mapping):
            var members: [JSONValue.Member] = []
            for (name, value) in mapping {
                guard case .scalar(let key) = name else {
                    throw problem(at: pointer, "a name has to be text; text that begins with a brace stands in quotes")
                }
                let member = pointer + "/" + key.string.replacing("~", with: "~0").replacing("/", with: "~1")
                if let mark = name.mark { places[member] = .init(line: mark.line, column: mark.column) }
                members.append(.init(key.string, try read(value, at: member, depth: depth + 1)))
            }
            return .object(members)
        case .alias: throw problem(at: pointer, "this alias has no anchor")
        }
    }

    private mutating func read(_ scalar: Node.Scalar, at pointer: String) throws(AgentFileProblem) -> JSONValue {
        switch scalar.style {
        case .plain, .any: break
        case .literal, .folded, .singleQuoted, .doubleQuoted: return .string(scalar.string)
        }
        let text = scalar.string
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        // Only what JSON calls a number is one: 0o7, 1_000 and .inf are words.
        guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) })
        else { return .string(text) }
        if let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text) else { return .string(text) }
        guard number.isFinite else { throw problem(at: pointer, "the number \(text.prefix(40)) is too large") }
        return .number(number)
    }
}

// MARK: What is wrong with it

extension YAMLDocument {
    private static let tooDeep = "there are more than \(deepest) levels"

    /// Where the words stand from `place` on, with what is behind them in their lines. All at once: a file may be full of them.
    func places(
        of words: String,
        from place: AgentFileProblem.Place
    ) -> [(place: AgentFileProblem.Place, behind: Substring)] {
        guard !words.isEmpty, place.line > 0, place.column > 0 else { return [] }
        var places: [(place: AgentFileProblem.Place, behind: Substring)] = []
        for (index, line) in lines.enumerated().dropFirst(place.line - 1) {
            var column = index == place.line - 1 ? place.column : 1
            var rest = Substring(line.unicodeScalars.dropFirst(column - 1))
            while let found = rest.firstRange(of: words) {
                column += rest[..<found.lowerBound].unicodeScalars.count
                places.append((.init(line: index + 1, column: column), rest[found.upperBound...]))
                column += rest[found].unicodeScalars.count
                rest = rest[found.upperBound...]
            }
        }
        return places
    }

    /// The parser's words name its own insides as well; the first of them are for people.
    private func problem(_ error: any Error) -> AgentFileProblem {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            AgentFileProblem(
                file: file,
                place: .init(line: mark.line, column: mark.column),
                message: Self.message(problem)
            )
        case YamlError.duplicatedKeysInMapping(let names, let context):
            AgentFileProblem(
                file: file,
                place: repetition(
                    of: names.min() ?? "",
                    at: .init(line: context.mark.line, column: context.mark.column)
                ),
                message: "the name \"\(names.sorted().joined(separator: "\", \""))\" stands twice in one place"
            )
        default: AgentFileProblem(file: file, message: "this is not YAML in UTF-8")
        }
    }

    private static func message(_ problem: String) -> String {
        if problem.contains("nesting") { return tooDeep }
        let reason =
            switch problem {
            case "mapping values are not allowed in this context":
                "text with a colon and a space in it stands in quotes, or below its name after a |"
            case "found unexpected end of stream": "a quotation mark is not closed"
            case "but found another document": "a second document begins here"
            default: problem
            }
        return "this is not YAML: \(reason)"
    }

    /// Where a name stands for the second time that stands at `first` for the first: in the same column, or between braces.
    private func repetition(of name: String, at first: AgentFileProblem.Place) -> AgentFileProblem.Place {
        guard name.utf8.count <= Self.longestName else { return first }
        let others = places(of: name, from: first).dropFirst().filter { _, behind in
            // A colon that is farther away is not looked for: a file may be full of blanks and quotation marks.
            behind.unicodeScalars.prefix(32).first { $0 != " " && $0 != "\"" && $0 != "'" } == ":"
        }.map(\.place)
        return others.first { $0.column == first.column } ?? others.first ?? first
    }
}
