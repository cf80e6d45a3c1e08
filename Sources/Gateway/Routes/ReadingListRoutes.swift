import Contract
import HTTPTypes
import Hummingbird
import RPC
import Wire

/// `POST /v1/reading-list`, and `/v1/readers/{id}/reading-list`: what readers keep.
struct ReadingListRoutes: Sendable {
    let storage: RPCClient
    let limits: HTTPLimits

    func add(to router: RouterGroup<BasicRequestContext>) {
        router.post("reading-list") { request, _ in try await keep(request) }
        router.get("readers/:reader/reading-list") { request, context in
            try Query.takes("before", "limit", in: request)
            let reader = try Query.id(context.parameters.require("reader"), of: "reader")
            // Ids begin with 1: behind 0 there is nothing, and 0 stands for the first page.
            let before = try Query.integer("before", in: request, default: 0, range: 0...Int.max)
            let limit = try Query.integer("limit", in: request, default: 50, range: 1...200)
            let get = GetReadingList(reader: reader, before: before == 0 ? nil : before, limit: limit)
            return JSONResponse.response(try await storage.json(get))
        }
        router.delete("readers/:reader/reading-list/:entry") { _, context in
            let reader = try Query.id(context.parameters.require("reader"), of: "reader")
            let entry = try Query.id(context.parameters.require("entry"), of: "entry")
            _ = try await storage.json(RemoveFromReadingList(reader: reader, entry: entry))
            return Response(status: .noContent)
        }
    }

    /// What is to be known beforehand is found out at once; then everything is written at once, in one transaction and
    /// one round trip.
    private func keep(_ request: Request) async throws -> Response {
        let key = try IdempotencyKey.of(request)
        let trace = Trace.of(request)
        let wish = try ReadingListBody(await JSONBody.bytes(of: request, limits: limits))
        let operations = wish.operations(summary: try await summary(for: wish, trace))
        let answers = try await storage.batch(operations, idempotencyKey: key, traceparent: trace)
        guard let entry = answers.last else { throw ServiceError.internal("The entry did not come back.") }
        let isNew = entry.member("new")?.description == "true"
        return JSONResponse.response(entry, status: isNew ? .created : .ok)
    }

    /// What the wish says, or else how its section begins. A section that is not there, or not in this book, is refused by
    /// the transaction.
    ///
    /// The reader is read meanwhile, so that nothing is begun for one who does not exist. Where there is nothing to make,
    /// that would be a round trip more for what the transaction finds out by itself.
    private func summary(for wish: ReadingListBody, _ trace: TraceParent) async throws -> String? {
        guard wish.summary == nil, let section = wish.section else { return wish.summary }
        async let reader = storage.json(GetReader(wish.reader), traceparent: trace)
        let found = try await storage.json(GetSections(sections: [section]), traceparent: trace)
        _ = try await reader
        let text = found.member("sections")?.elements?.first?.member("text")?.string
        return text.flatMap(ExtractiveSummary.of)
    }
}
