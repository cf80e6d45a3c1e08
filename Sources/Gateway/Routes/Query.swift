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

/// Documents of JSON, most of them passed on from storage as they are.
enum JSONResponse {
    static func response(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: json.bytes)
        )
    }

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        response(try JSON(encoding: value), status: status)
    }
}

/// Bounds something that waits for the other side.
enum Deadline {
    static func within<T: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () async throws -> T) async throws
        -> T
    {
        try await withThrowingTaskGroup(of: T.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw HTTPError(.requestTimeout, message: "The body did not arrive within \(limit).")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
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
