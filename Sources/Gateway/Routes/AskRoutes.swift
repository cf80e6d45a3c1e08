import AsyncAlgorithms
import Contract
import HTTPTypes
import Hummingbird
import NIOCore
import RPC
import Wire

/// `POST /v1/ask`: a question and its answer, as one document or as it comes.
struct AskRoutes: Sendable {
    let follower: RunFollower
    let limits: HTTPLimits

    func add(to router: RouterGroup<BasicRequestContext>) {
        router.post("ask") { request, _ in try await ask(request) }
    }

    private func ask(_ request: Request) async throws -> Response {
        try Query.takes(in: request)
        let start = try AskBody(await JSONBody.bytes(of: request, limits: limits)).start()
        return try await RunResponder(follower: follower, limits: limits).respond(to: request, with: start)
    }
}

/// `GET /v1/agents`: which agents there are. `POST /v1/agents/{name}/runs`: a text for one of them.
struct AgentRoutes: Sendable {
    let follower: RunFollower
    let limits: HTTPLimits

    func add(to router: RouterGroup<BasicRequestContext>) {
        router.get("agents") { request, _ in
            try Query.takes(in: request)
            return JSONResponse.response(try await follower.runner.client(for: .new()).json(ListAgents()))
        }
        router.post("agents/:agent/runs") { request, context in
            try Query.takes(in: request)
            let bytes = try await JSONBody.bytes(of: request, limits: limits)
            let start = try AskBody(bytes, agent: try context.parameters.require("agent")).start()
            return try await RunResponder(follower: follower, limits: limits).respond(to: request, with: start)
        }
    }
}

/// Starts a run and answers with what becomes of it, as one document or as it comes.
private struct RunResponder: Sendable {
    let follower: RunFollower
    let limits: HTTPLimits

    func respond(to request: Request, with start: StartRun) async throws -> Response {
        let trace = Trace.of(request)
        if EventStream.isWanted(by: request) {
            return EventStreamResponse(run: start.run, keepAlive: limits.keepAlive).response { [follower] emit in
                try await follower.start(start, trace: trace, emit: emit)
            }
        }
        let outcome: Outcome
        let ending: RunEnding
        do {
            ending = try await follower.ending(of: start, trace: trace)
        } catch let error as ServiceError where error.code == .cancelled && Task.isCancelled {
            // Nobody has cancelled it but this process, which has no more time.
            let sentence = "The gateway is stopping; the run goes on, and asking with its id is the same run."
            return Problem(.unavailable(sentence, retry: .sameKey), run: start.run).response()
        }
        switch ending {
        case .finished(let end): outcome = end
        case .waiting(let notice):
            let waiting = Waiting(run: start.run, state: .waiting, approval: notice)
            var response = try JSONResponse.response(waiting, status: .accepted)
            EventStreamResponse.name(start.run, in: &response.headers)
            response.headers[.location] = "/v1/runs/\(start.run)"
            return response
        }
        if outcome.state == .failed, let error = outcome.error {
            let code = ErrorCode(rawValue: error.code) ?? .internal
            // The run has ended so, and would be shown again: asking anew takes a new run.
            return Problem(ServiceError(code, error.message, retry: .no), run: start.run).response()
        }
        var response = try JSONResponse.response(Answer(run: start.run, outcome: outcome))
        EventStreamResponse.name(start.run, in: &response.headers)
        return response
    }
}

/// In place of an outcome while a person has to decide.
private struct Waiting: Encodable {
    var run: RunID
    var state: RunState
    var approval: ApprovalNotice
}

/// What a run is answered with: the outcome under its run's id.
private struct Answer: Encodable {
    var run: RunID
    var outcome: Outcome

    private enum Key: String, CodingKey { case run }

    func encode(to encoder: any Encoder) throws {
        try outcome.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(run, forKey: .run)
    }
}

/// A response whose body is a run's events, with a sign of life while there are none.
struct EventStreamResponse: Sendable {
    let run: RunID
    let keepAlive: Duration

    /// Tells the run also to whoever does not read the body.
    static func name(_ run: RunID, in headers: inout HTTPFields) {
        if let name = HTTPField.Name("octavo-run") { headers[name] = "\(run)" }
    }

    /// The events come from `source`, which is held back while the reader does not read, and cancelled when it leaves.
    func response(
        _ source: @escaping @Sendable (@escaping @Sendable (JSON) async throws -> Void) async throws -> Void
    ) -> Response {
        var headers = EventStream.headers
        Self.name(run, in: &headers)
        return Response(
            status: .ok,
            headers: headers,
            body: ResponseBody { [run, keepAlive] writer in
                let channel = AsyncChannel<ByteBuffer>()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        do {
                            try await source { await channel.send(EventStream.event($0)) }
                        } catch let error as ServiceError {
                            await channel.send(EventStream.problem(error, run: run))
                        }
                        channel.finish()
                    }
                    group.addTask {
                        while true {
                            try await Task.sleep(for: keepAlive)
                            await channel.send(EventStream.keepAlive)
                        }
                    }
                    for await buffer in channel { try await writer.write(buffer) }
                    group.cancelAll()
                }
                try await writer.finish(nil)
            }
        )
    }
}
