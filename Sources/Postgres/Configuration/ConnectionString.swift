import CLibPQ
import Glibc

/// The settings in a connection string, by libpq's own reading of it.
func parseConnectionString(_ text: String) throws(PostgresError) -> [PostgresConfiguration.Keyword] {
    guard !text.utf8.contains(0) else { throw PostgresError(.invalidConfiguration, "the connection string has a NUL") }
    var reason: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(text, &reason) else {
        defer { PQfreemem(reason) }
        throw PostgresError(.invalidConfiguration, withoutQuotes(reason.map { String(cString: $0) } ?? "no memory"))
    }
    defer { PQconninfoFree(options) }
    var keywords: [PostgresConfiguration.Keyword] = []
    // The array ends with an option without a keyword.
    var option = options
    while let name = option.pointee.keyword {
        if let value = option.pointee.val {
            keywords.append(.init(name: String(cString: name), value: String(cString: value)))
        }
        option += 1
    }
    return keywords
}

/// The connection string without `pgbouncer=true`, which libpq does not know, and whether it had it.
func takingPgBouncer(from text: String) throws(PostgresError) -> (text: String, isBehindPgBouncer: Bool) {
    let isURI = text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    let question = isURI ? text.firstIndex(of: "?") : nil
    guard !isURI || question != nil else { return (text, false) }
    let start = question.map { text.index(after: $0) } ?? text.startIndex
    let separator: Character = isURI ? "&" : " "
    let settings = text[start...].split(separator: separator, omittingEmptySubsequences: false)
    let own = settings.filter { $0.hasPrefix("pgbouncer=") }
    guard let last = own.last else { return (text, false) }
    guard last == "pgbouncer=true" || last == "pgbouncer=false" else {
        throw PostgresError(.invalidConfiguration, "pgbouncer has to be true or false")
    }
    let rest = settings.filter { !$0.hasPrefix("pgbouncer=") }.joined(separator: String(separator))
    return (text[..<start] + rest, last == "pgbouncer=true")
}

/// libpq's reason without what it quotes from the string, up to the whole string with its password.
///
/// The single punctuation marks it names itself stay. What is quoted may contain quotes, so everything from the first
/// other quote to the last is left out.
private func withoutQuotes(_ reason: String) -> String {
    let characters = Array(reason.trimmingSuffix(while: \.isNewline))
    var start = 0
    while let open = characters[start...].firstIndex(of: "\"") {
        let isMark =
            open + 2 < characters.count && "=:/]".contains(characters[open + 1]) && characters[open + 2] == "\""
        guard !isMark else {
            start = open + 3
            continue
        }
        // `open` itself is a quote, so there is a last one.
        let close = characters.lastIndex(of: "\"") ?? open
        return String(characters[..<open]) + "…" + String(characters[(close + 1)...])
    }
    return String(characters)
}

/// Whether libpq can use this host without asking a name server.
func isLocalOrAddress(_ host: Substring) -> Bool {
    var address = in6_addr()
    return host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost"
        || inet_pton(AF_INET, String(host), &address) == 1
        || inet_pton(AF_INET6, String(host), &address) == 1
}

extension [PostgresConfiguration.Keyword] {
    /// Gives the names and the values as two C arrays that end with a null. Valid until `body` returns.
    func withCStrings<Result>(
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let names = map { strdup($0.name) }
        let values = map { strdup($0.value) }
        defer { (names + values).forEach { free($0) } }
        let constNames = names.map { UnsafePointer($0) } + [nil]
        let constValues = values.map { UnsafePointer($0) } + [nil]
        return constNames.withUnsafeBufferPointer { names in
            constValues.withUnsafeBufferPointer { values in
                // Neither array is empty: each has its closing null.
                body(names.baseAddress.unsafelyUnwrapped, values.baseAddress.unsafelyUnwrapped)
            }
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while condition: (Character) -> Bool) -> Substring {
        var text = self[...]
        while let last = text.last, condition(last) { text.removeLast() }
        return text
    }
}
