import Agents

/// What calls of models have used.
struct Spent: Sendable, Codable {
    /// So many calls.
    var requests = 0
    var usage = Usage()

    static func += (left: inout Spent, right: Spent) {
        left.requests += right.requests
        left.usage += right.usage
    }
}

/// What is stored of a call of a tool: what came of it, and what agents have used that were asked by it. Where the run goes on
/// elsewhere they are not asked again, and it counts all the same.
struct StoredResult: Codable {
    let result: ToolResult
    let spent: Spent?

    private enum Key: String, CodingKey { case spent }

    init(result: ToolResult, spent: Spent?) {
        self.result = result
        self.spent = spent
    }

    init(from decoder: any Decoder) throws {
        result = try ToolResult(from: decoder)
        spent = try decoder.container(keyedBy: Key.self).decodeIfPresent(Spent.self, forKey: .spent)
    }

    func encode(to encoder: any Encoder) throws {
        try result.encode(to: encoder)
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encodeIfPresent(spent, forKey: .spent)
    }
}
