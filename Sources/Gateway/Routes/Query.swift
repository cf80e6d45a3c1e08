import Contract
import Hummingbird
import NIOCore
import Wire

/// Reads paths and queries, and says what is wrong with them.
enum Query {
    /// Refuses what a query does not take: a misspelt parameter, or one of two, would otherwise be a wish that is silently not met.
    static func takes(_ known: String..., in request: Request) throws {
        guard isText(request.uri.query ?? "") else {
            throw ServiceError.invalidArgument("The query has to be UTF-8, with %25 for each % and no %00.")
        }
        var given: Set<String> = []
        for (key, _) in request.uri.queryParameters {
            let key = String(key)
            let name = key.count <= 40 ? key : key.prefix(40) + "…"
            guard known.contains(key) else {
                let names = known.map { "\"\($0)\"" }.joined(separator: ", ")
                let all = known.isEmpty ? "it takes none" : "there are \(names)"
                throw ServiceError.invalidArgument("There is no parameter \"\(name)\" here: \(all).")
            }
            guard given.insert(key).inserted else {
                throw ServiceError.invalidArgument("The parameter \"\(name)\" may stand there once.")
            }
        }
    }

    /// Whether what is escaped in a query is text. What is not would be searched for as U+FFFD.
    static func isText(_ query: String) -> Bool {
        var bytes: [UInt8] = []
        var rest = query.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            // Of both it is to be a digit: "+1" would be a number too.
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16), value != 0
            else { return false }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self) != nil
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
