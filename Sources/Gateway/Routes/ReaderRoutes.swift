import Contract
import Hummingbird
import NIOCore
import RPC
import Wire

/// `/v1/readers` and `/v1/readers/{id}`.
struct ReaderRoutes: Sendable {
    private static let example = #"{"handle": "ada", "name": "Ada Lovelace"}"#

    let storage: RPCClient
    let limits: HTTPLimits

    func add(to router: RouterGroup<BasicRequestContext>) {
        router.get("readers") { request, _ in
            try Query.takes("after", "limit", in: request)
            let after = try Query.integer("after", in: request, default: 0, range: 0...Int.max)
            let limit = try Query.integer("limit", in: request, default: 100, range: 1...500)
            return JSONResponse.response(try await storage.json(ListReaders(after: after, limit: limit)))
        }
        router.get("readers/:reader") { request, context in
            try Query.takes(in: request)
            let reader = try Query.id(context.parameters.require("reader"), of: "reader")
            return JSONResponse.response(try await storage.json(GetReader(reader)))
        }
        router.post("readers") { request, _ in
            let key = try IdempotencyKey.of(request)
            let create = try Self.create(await JSONBody.bytes(of: request, limits: limits))
            let made = try await storage.json(create, idempotencyKey: key, traceparent: Trace.of(request))
            return JSONResponse.response(made, status: .created)
        }
    }

    private static func create(_ bytes: ByteBuffer) throws(ServiceError) -> CreateReader {
        var (handle, name): (String?, String?)
        for (field, value) in try JSONBody(bytes, example: example).members {
            switch field {
            case "handle": handle = try JSONBody.text(field, value, characters: Reader.handleLength)
            case "name": name = try JSONBody.text(field, value, characters: Reader.nameLength)
            default: throw JSONBody.unknown(field, of: "a reader", known: ["handle", "name"])
            }
        }
        guard let handle else { throw JSONBody.missing("handle", example: example) }
        guard let name else { throw JSONBody.missing("name", example: example) }
        return CreateReader(handle: handle, name: name)
    }
}
