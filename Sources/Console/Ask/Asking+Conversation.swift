import Agents
import AsyncHTTPClient
import Contract
import NIOCore
import NIOHTTP1
import Wire

/// Asking in a conversation: the text is said, which is done as soon as it is stored, and the run that answers it is followed.
extension Asking {
    /// Returns the run that answers the text: the one given, unless it was added to a question that waits. The same again is the same.
    func say(_ text: String, in talk: ConversationID, _ run: RunID, isFirst: Bool) async throws -> RunID {
        struct Body: Encodable {
            var text: String
            var run: RunID
        }
        var request = HTTPClientRequest(url: "\(url)/v1/conversations/\(talk)/messages")
        request.method = .POST
        request.headers = ["content-type": "application/json"]
        request.body = .bytes(try JSON(encoding: Body(text: text, run: run)).bytes)
        let response = try await send(request, isFirst: isFirst)
        let body = try await collect(response)
        guard response.status == .accepted else { throw failure(response, body, isFirst: isFirst) }
        return try JSON(validating: body).decode(Say.Result.self).run
    }

    /// The events of a run behind the last that was seen.
    func follow(_ run: RunID, after last: Int, isFirst: Bool) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: "\(url)/v1/runs/\(run)/events?after=\(last)")
        request.headers = ["accept": "text/event-stream"]
        return try await send(request, isFirst: isFirst)
    }

    /// The outcome with its run, as the gateway's one document of a question by itself.
    func document(_ text: String, in talk: ConversationID, _ run: RunID, isFirst: Bool) async throws -> String {
        let run = try await say(text, in: talk, run, isFirst: isFirst)
        let response = try await follow(run, after: 0, isFirst: isFirst)
        let body = try await collect(response)
        guard response.status == .ok else { throw failure(response, body, isFirst: isFirst) }
        var parser = ServerSentEventParser()
        guard let last = try parser.parse(body.readableBytesView).last, last.event == "finished",
            case .finished(let outcome) = try JSON(validating: last.data).decode(RunEvent.self).body
        else { throw Failure("The run has not finished: octavo runs show \(run)") }
        return try JSON(encoding: Answer(run: run, outcome: outcome)).description
    }

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
}
