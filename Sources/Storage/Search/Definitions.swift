/// The words a text's lines define. A reference page explains many things under one heading; each is then introduced by a
/// line that begins with it: `nextval ( regclass ) → bigint`, `40P01 | deadlock_detected`, `--jobs=njobs`, `\timing`.
struct Definitions {
    /// The defined words, as ``Words`` gives them.
    private(set) var names: Set<String> = []
    /// Those whose line also says what comes of them, and operators between their operands: `json ->> text → text`.
    private(set) var signatures: Set<String> = []

    init(in text: String) {
        for line in text.split(separator: "\n") {
            if let name = Self.name(in: line.utf8) { names.formUnion(Self.words(of: name)) }
            if let arrow = line.utf8.firstRange(of: "→".utf8) { addSignature(line[..<arrow.lowerBound]) }
        }
        names.subtract(signatures)
    }

    /// - Parameter signature: What stands before the arrow. With a quoted value in it, it is an example.
    private mutating func addSignature(_ signature: Substring) {
        guard !signature.utf8.contains(UInt8(ascii: "'")) else { return }
        let operations = Set(Words.of(String(signature)).filter { $0.kind == .operation }.map(\.text))
        if operations.isEmpty {
            let begin = signature.utf8.drop { $0 == UInt8(ascii: " ") }
            let name = Substring(begin.prefix { !" (|[,=".utf8.contains($0) })
            let next = signature[name.endIndex...].utf8.first { $0 != UInt8(ascii: " ") }
            guard next == nil || next == UInt8(ascii: "(") else { return }
            signatures.formUnion(Self.words(of: (name, true)))
        } else if operations.count == 1 {
            signatures.formUnion(operations)
        }
    }

    private static func words(of name: (text: Substring, isCertain: Bool)) -> [String] {
        guard name.text.utf8.count <= Words.maximumBytes else { return [] }
        let words = Words.of(String(name.text)).filter { $0.kind != .part && $0.kind != .capitals }
        // `Name` over a table's column, or `However,`, is a word of the language, not the name of a thing.
        if !name.isCertain, words.allSatisfy({ $0.kind == .plain && !$0.text.utf8.contains(where: Words.isDigit) }) {
            return []
        }
        return words.map(\.text).filter { !StopWords.contains($0) }
    }

    /// The first word of a line that defines it. It is certain when an argument list, the next cell of a row, a value or
    /// an explanation follows, and likely when next to nothing does.
    private static func name(in line: Substring.UTF8View) -> (text: Substring, isCertain: Bool)? {
        let begin = line.firstIndex { $0 != UInt8(ascii: " ") } ?? line.endIndex
        let end = line[begin...].firstIndex { " (|[,=".utf8.contains($0) } ?? line.endIndex
        guard begin < end, line.distance(from: begin, to: end) <= Words.maximumBytes else { return nil }
        let rest = Substring(line[end...])
        let name = Substring(line[begin..<end])
        let signs = rest.drop { $0 == " " }
        if let sign = signs.first, "(|[=—".contains(sign) { return (name, true) }
        let isBrief = rest.isEmpty || rest.first == "," || !signs.contains(" ")
        return isBrief ? (name, false) : nil
    }
}
