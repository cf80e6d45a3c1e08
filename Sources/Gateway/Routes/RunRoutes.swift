import Contract
import HTTPTypes
import Hummingbird
import RPC
import Wire

/// `GET /v1/runs`, `/v1/runs/{id}` and `/v1/runs/{id}/events`: what became of a question. `POST /v1/runs/{id}/cancel`: it is no
/// longer wanted.
struct RunRoutes: Sendable {
    let storage: RPCClient
    let follower: RunFollower
    let limits: HTTPLimits

    func add(to router: RouterGroup<BasicRequestContext>) {
        router.get("runs") { request, _ in
            try Query.takes("state", "before", "limit", in: request)
            let state: RunState? = try Query.choice("state", in: request)
            let before = try request.uri.queryParameters.get("before").map { try run(String($0)) }
            let limit = try Query.integer("limit", in: request, default: 20, range: 1...100)
            return JSONResponse.response(
                try await storage.json(ListRuns(state: state, before: before, limit: limit))
            )
        }
        router.get("runs/:run") { request, context in
            try Query.takes(in: request)
            let run = try run(context.parameters.require("run"))
            return JSONResponse.response(try await storage.json(GetRun(run: run)))
        }
        router.post("runs/:run/cancel") { request, context in
            try Query.takes(in: request)
            return JSONResponse.response(try await cancel(try run(context.parameters.require("run"))))
        }
        router.get("runs/:run/events") { request, context in
            try await events(of: try run(context.parameters.require("run")), request)
        }
    }

    /// Ends it in the record; the work stops within a second. The answer is the run as it stands then.
    private func cancel(_ run: RunID) async throws -> JSON {
        _ = try await storage.perform(CancelRun(run: run))
        return try await storage.json(GetRun(run: run))
    }

    private func events(of run: RunID, _ request: Request) async throws -> Response {
        try Query.takes("after", in: request)
        // A run that does not exist is a 404, not a stream with an error in it.
        _ = try await storage.json(GetRun(run: run))
        let after = try lastSeen(in: request)
        return EventStreamResponse(run: run, keepAlive: limits.keepAlive).response { [follower] emit in
            try await follower.follow(run, after: after, emit: emit)
        }
    }

    /// Browsers send `Last-Event-ID` when they reconnect; people write `?after=`.
    private func lastSeen(in request: Request) throws -> Int {
        guard let name = HTTPField.Name("last-event-id"), let value = request.headers[name] else {
            return try Query.integer("after", in: request, default: 0, range: 0...Int(Int32.max))
        }
        guard let number = Int(value), number >= 0 else {
            throw ServiceError.invalidArgument("Last-Event-ID has to be the number of an event, not \"\(value)\".")
        }
        return number
    }

    private func run(_ text: String) throws -> RunID {
        guard let run = RunID(text) else {
            throw ServiceError.invalidArgument("A run's id is a UUID of version 7, not \"\(text)\".")
        }
        return run
    }
}
