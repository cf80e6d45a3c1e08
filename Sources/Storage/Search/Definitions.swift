/// The words a text's lines define. A reference page explains many things under one heading; each is then introduced by a
/// line that begins with it: `nextval ( regclass ) → bigint`, `40P01 | deadlock_detected`, `--jobs=njobs`, `\timing`.
enum Definitions {
    /// The defined words, as ``Words`` gives them.
    static func of(_ text: String) -> Set<String> {
        var result: Set<String> = []
        for line in text.split(separator: "\n") {
            guard let name = name(in: line.utf8) else { continue }
            let words = Words.of(String(name.text)).filter { $0.kind != .part && $0.kind != .capitals }
            // `Name` over a table's column, or `However,`, is a word of the language, not the name of a thing.
            if !name.isCertain, words.allSatisfy({ $0.kind == .plain && !$0.text.utf8.contains(where: Words.isDigit) })
            {
                continue
            }
            result.formUnion(words.map(\.text).filter { !StopWords.contains($0) })
        }
        return result
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
