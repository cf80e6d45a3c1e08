import Hummingbird
import NIOCore
import Wire

/// Reads numbers from paths and queries, and says what is wrong with them.
enum Query {
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
