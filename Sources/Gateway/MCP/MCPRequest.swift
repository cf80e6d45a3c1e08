import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// A request or notification of JSON-RPC 2.0, as the Model Context Protocol has it.
struct MCPRequest: Sendable {
    private static let example = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#

    let method: String
    let parameters: JSON?
    /// Nil for a notification, which is not answered.
    let id: JSON?

    init(_ bytes: ByteBuffer) throws(MCPFailure) {
        let body: JSON
        do throws(ProtocolViolation) {
            body = try JSON(validating: JSONBody.onOneLine(bytes))
        } catch {
            throw MCPFailure(code: -32700, message: "The body is not valid JSON: \(error.detail).")
        }
        guard body.elements == nil else {
            throw .invalid("Batches are not taken: send each message by itself, like \(Self.example).")
        }
        guard body.members != nil else { throw .invalid("The body has to be like \(Self.example).") }
        var id = body.member("id")
        // Written by some for what has none.
        if id == .null, body.member("method")?.string?.hasPrefix("notifications/") == true { id = nil }
        guard id.map(Self.isID) ?? true else { throw .invalid("\"id\" has to be a string or a number.") }
        guard body.member("jsonrpc")?.string == "2.0" else {
            throw .invalid("\"jsonrpc\" has to be \"2.0\", as in \(Self.example).", id: id)
        }
        guard let method = body.member("method")?.string else {
            throw .invalid("\"method\" has to be a string, as in \(Self.example).", id: id)
        }
        self.method = method
        self.id = id
        parameters = body.member("params")
    }

    private static func isID(_ value: JSON) -> Bool {
        guard let first = value.bytes.readableBytesView.first else { return false }
        return [UInt8(ascii: "\""), UInt8(ascii: "-")].contains(first)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }
}

/// An error of JSON-RPC 2.0.
struct MCPFailure: Error {
    let code: Int
    let message: String
    /// That of the request, where it could be read.
    var id: JSON?

    /// For what is no request at all.
    static func invalid(_ message: String, id: JSON? = nil) -> MCPFailure {
        MCPFailure(code: -32600, message: message, id: id)
    }

    func response(to id: JSON?, status: HTTPResponse.Status = .ok) -> Response {
        let failure = JSON(object: ["code": JSON(trusted: "\(code)"), "message": JSON(string: message)])
        let answer = JSON(object: ["jsonrpc": JSON(string: "2.0"), "id": id ?? .null, "error": failure])
        return JSONResponse.response(answer, status: status)
    }
}
