import Contract
import Hummingbird
import NIOCore
import Wire

/// Reads paths and queries, and says what is wrong with them.
enum Query {
    /// Refuses what a query does not take: a misspelt parameter would otherwise be a wish that is silently not met.
    static func takes(_ known: String..., in request: Request) throws {
        let given = request.uri.queryParameters.map { String($0.key) }
        guard let unknown = given.first(where: { !known.contains($0) }) else { return }
        let name = unknown.count <= 40 ? unknown : unknown.prefix(40) + "…"
        let names = known.map { "\"\($0)\"" }.joined(separator: ", ")
        throw ServiceError.invalidArgument("There is no parameter \"\(name)\" here: there are \(names).")
    }

    /// One of several words, or nil where none is given.
    static func choice<C: Choice>(_ name: String, in request: Request) throws -> C? {
        guard let text = request.uri.queryParameters.get(name) else { return nil }
        guard let choice = C(rawValue: text) else {
            throw ServiceError.invalidArgument("\(name) has to be one of \(C.words), not \"\(text.prefix(40))\".")
        }
        return choice
    }

    static func integer(_ name: String, in request: Request, default value: Int, range: ClosedRange<Int>) throws -> Int
    {
        guard let text = request.uri.queryParameters.get(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            let limit =
                range.upperBound == .max
                ? "from \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw ServiceError.invalidArgument("\(name) has to be a number \(limit), not \"\(text)\".")
        }
        return number
    }

    static func id(_ text: String, of thing: String) throws -> Int {
        guard let id = Int(text), id > 0 else {
            throw ServiceError.invalidArgument("A \(thing)'s id is a number, not \"\(text)\".")
        }
        return id
    }
}

extension StringProtocol {
    /// Without white space at either end.
    var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}
