public import Wire

/// Something that happened in a run. Events are numbered from 1 without a gap, stored, and shown once stored; whoever
/// follows a run gets the same bytes each time.
public struct RunEvent: Codable, Sendable, Equatable {
    /// What happened.
    public enum Body: Sendable, Equatable {
        /// A sentence for the reader while they wait.
        case status(String)
        /// The agent has searched: the words, and how many sections were found.
        case search(query: String, hits: Int)
        /// A source of the text that follows.
        case citation(Citation)
        /// The next piece of the answer.
        case text(String)
        /// One of several agents at work in this run has come to its end.
        case part(agent: String, outcome: Outcome)
        /// A call of a tool waits for a person, or no longer does. Written by storage, while nobody carries the run out.
        case approval(ApprovalNotice)
        /// An attempt failed by something that may pass. Written by storage, while nobody carries the run out.
        case postponed(Postponement)
        /// The run goes on after its runner was lost; the text shown so far is void.
        case restarted(attempt: Int)
        /// The last event.
        case finished(Outcome)
    }

    /// Its number, from 1.
    public var sequence: Int
    /// When, as RFC 3339 in UTC with milliseconds.
    public var at: String
    /// What happened.
    public var body: Body

    /// From its parts.
    public init(sequence: Int, at: String, body: Body) {
        self.sequence = sequence
        self.at = at
        self.body = body
    }
}

extension RunEvent {
    private static let types: Set = [
        "status", "search", "citation", "text", "part", "approval", "postponed", "restarted", "finished",
    ]

    /// An event as it is told; nil for one of a type that this version does not know, which is to be passed over.
    ///
    /// Throws `DecodingError` for what is no event.
    public static func known(_ event: JSON) throws -> RunEvent? {
        guard let type = event.member("type")?.string, !types.contains(type) else {
            return try event.decode(RunEvent.self)
        }
        return nil
    }

    /// The event's type on the wire, also the `event:` field of a server-sent event.
    public var type: String {
        switch body {
        case .status: "status"
        case .search: "search"
        case .citation: "citation"
        case .text: "text"
        case .part: "part"
        case .approval: "approval"
        case .postponed: "postponed"
        case .restarted: "restarted"
        case .finished: "finished"
        }
    }

    private enum CodingKeys: String, CodingKey {
        case sequence, at, type, data
    }

    private struct Text: Codable { var text: String }
    private struct Search: Codable { var query: String; var hits: Int }
    private struct Part: Codable { var agent: String; var outcome: Outcome }
    private struct Restart: Codable { var attempt: Int }

    /// Reads the form `encode(to:)` writes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        sequence = try container.decode(Int.self, forKey: .sequence)
        at = try container.decode(String.self, forKey: .at)
        let type = try container.decode(String.self, forKey: .type)
        switch type {
        case "status": body = .status(try container.decode(Text.self, forKey: .data).text)
        case "search":
            let search = try container.decode(Search.self, forKey: .data)
            body = .search(query: search.query, hits: search.hits)
        case "citation": body = .citation(try container.decode(Citation.self, forKey: .data))
        case "text": body = .text(try container.decode(Text.self, forKey: .data).text)
        case "part":
            let part = try container.decode(Part.self, forKey: .data)
            body = .part(agent: part.agent, outcome: part.outcome)
        case "approval": body = .approval(try container.decode(ApprovalNotice.self, forKey: .data))
        case "postponed": body = .postponed(try container.decode(Postponement.self, forKey: .data))
        case "restarted": body = .restarted(attempt: try container.decode(Restart.self, forKey: .data).attempt)
        case "finished": body = .finished(try container.decode(Outcome.self, forKey: .data))
        default:
            throw DecodingError.dataCorruptedError(
                forKey: .type,
                in: container,
                debugDescription: "unknown event type \(type)"
            )
        }
    }

    /// Writes the form of the protocol.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(sequence, forKey: .sequence)
        try container.encode(at, forKey: .at)
        try container.encode(type, forKey: .type)
        switch body {
        case .status(let text), .text(let text): try container.encode(Text(text: text), forKey: .data)
        case .search(let query, let hits): try container.encode(Search(query: query, hits: hits), forKey: .data)
        case .citation(let citation): try container.encode(citation, forKey: .data)
        case .part(let agent, let outcome):
            try container.encode(Part(agent: agent, outcome: outcome), forKey: .data)
        case .approval(let notice): try container.encode(notice, forKey: .data)
        case .postponed(let postponement): try container.encode(postponement, forKey: .data)
        case .restarted(let attempt): try container.encode(Restart(attempt: attempt), forKey: .data)
        case .finished(let outcome): try container.encode(outcome, forKey: .data)
        }
    }
}
