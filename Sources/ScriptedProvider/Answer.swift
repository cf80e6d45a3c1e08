/// What the provider does in answer to one request: bytes, pauses, misbehaviour. Nothing is added to the steps, so an answer
/// can be as wrong as a test wants.
public struct Answer: Sendable {
    /// One thing the provider does.
    public enum Step: Sendable {
        /// Writes these bytes.
        case write([UInt8])
        /// Waits.
        case pause(Duration)
        /// Does nothing until the client leaves.
        case hang
        /// Writes these bytes again and again until the client leaves.
        case repeatForever([UInt8])
        /// Closes the connection.
        case close
    }

    /// What is done, in order. After the last step the connection waits for the next request.
    public var steps: [Step]

    /// An answer of raw bytes and misbehaviour.
    public init(_ steps: [Step]) {
        self.steps = steps
    }

    /// Writes each byte on its own.
    public var byteByByte: Answer {
        Answer(
            steps.flatMap { step -> [Step] in
                guard case .write(let bytes) = step else { return [step] }
                return bytes.map { .write([$0]) }
            }
        )
    }

    /// Waits before everything else.
    public func after(_ pause: Duration) -> Answer {
        Answer([.pause(pause)] + steps)
    }
}

// MARK: Answers as they should be

extension Answer {
    /// A streamed text, in these pieces.
    public static func says(_ pieces: String..., usage: ScriptedUsage? = ScriptedUsage(input: 10, output: 5)) -> Answer
    {
        events(
            pieces.map { ChatJSON.chunk(delta: #"{"content":\#(ChatJSON.quoted($0))}"#) }
                + [ChatJSON.chunk(delta: "{}", finishReason: "stop")] + usageChunk(usage) + ["[DONE]"]
        )
    }

    /// Streamed tool calls: all begin, then their arguments follow in turns, some bytes at a time.
    public static func calls(
        _ calls: ScriptedCall...,
        usage: ScriptedUsage? = ScriptedUsage(input: 10, output: 5)
    ) -> Answer {
        var chunks = calls.enumerated().map { index, call in
            ChatJSON.chunk(delta: ChatJSON.callBegin(index: index, call))
        }
        var rest = calls.map { Array($0.arguments)[...] }
        while rest.contains(where: { !$0.isEmpty }) {
            for index in rest.indices where !rest[index].isEmpty {
                chunks.append(ChatJSON.chunk(delta: ChatJSON.callPiece(index: index, String(rest[index].prefix(3)))))
                rest[index] = rest[index].dropFirst(3)
            }
        }
        return events(
            chunks + [ChatJSON.chunk(delta: "{}", finishReason: "tool_calls")] + usageChunk(usage) + ["[DONE]"]
        )
    }

    /// A text that is not streamed although asked.
    public static func saysAtOnce(_ text: String, usage: ScriptedUsage? = ScriptedUsage(input: 10, output: 5)) -> Answer
    {
        let message = #"{"role":"assistant","content":\#(ChatJSON.quoted(text))}"#
        return json(ChatJSON.completion(message: message, finishReason: "stop", usage: usage))
    }

    /// A stream of events with these data, ended properly.
    public static func events(_ data: [String]) -> Answer {
        Answer([.write(streamHead)] + data.map { .write(chunk("data: \($0)\n\n")) } + [.write(lastChunk)])
    }

    /// A stream of events, as it stands.
    public static func stream(_ events: String) -> Answer {
        Answer([.write(streamHead), .write(chunk(events)), .write(lastChunk)])
    }

    /// Vectors, as the Embeddings API gives them.
    public static func embeddings(_ vectors: [[Double]], tokens: Int = 0) -> Answer {
        let items = vectors.enumerated().map { #"{"object":"embedding","index":\#($0),"embedding":\#($1)}"# }
        return json(
            #"{"object":"list","data":[\#(items.joined(separator: ","))],"usage":{"prompt_tokens":\#(tokens)}}"#
        )
    }

    /// A JSON body of known length.
    public static func json(_ body: String, status: Int = 200, headers: [String: String] = [:]) -> Answer {
        let fields = headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }.joined()
        let head =
            "HTTP/1.1 \(status) Scripted\r\ncontent-type: application/json\r\n"
            + "content-length: \(body.utf8.count)\r\n\(fields)\r\n"
        return Answer([.write(Array(head.utf8)), .write(Array(body.utf8))])
    }

    private static func usageChunk(_ usage: ScriptedUsage?) -> [String] {
        usage.map { [#"{"choices":[],"usage":\#(ChatJSON.usage($0))}"#] } ?? []
    }
}

// MARK: Answers as they should not be

extension Answer {
    /// An error status with an error object.
    public static func fails(_ status: Int, _ message: String = "scripted", headers: [String: String] = [:]) -> Answer {
        json(#"{"error":{"message":\#(ChatJSON.quoted(message)),"type":"scripted"}}"#, status: status, headers: headers)
    }

    /// 429 with `Retry-After` in seconds.
    public static func rateLimited(retryAfter: String) -> Answer {
        fails(429, "slow down", headers: ["retry-after": retryAfter])
    }

    /// Takes the request and says nothing.
    public static let hangs = Answer([.hang])

    /// Says these pieces and no more, without ending.
    public static func hangs(afterSaying pieces: String...) -> Answer {
        Answer(saying(pieces) + [.hang])
    }

    /// Says these pieces and dies.
    public static func breaksOff(afterSaying pieces: String...) -> Answer {
        Answer(saying(pieces) + [.close])
    }

    /// Takes the request and closes the connection.
    public static let hangsUp = Answer([.close])

    /// Says the same word for ever.
    public static let endless = Answer(
        [.write(streamHead), .repeatForever(chunk("data: \(ChatJSON.chunk(delta: #"{"content":"again "}"#))\n\n"))]
    )

    /// Never ends its first line.
    public static let endlessLine = Answer([
        .write(streamHead), .repeatForever(chunk(String(repeating: "x", count: 65_536))),
    ])

    /// An error's body without end.
    public static let endlessError = Answer([
        .write(Array("HTTP/1.1 500 Scripted\r\ntransfer-encoding: chunked\r\n\r\n".utf8)),
        .repeatForever(chunk(String(repeating: "x", count: 65_536))),
    ])

    /// A body that is neither JSON nor events.
    public static let page = Answer(
        [.write(streamHead), .write(chunk("<html><body>It works!</body></html>\n")), .write(lastChunk)]
    )

    /// These data as events, in a body whose end is the end of the connection.
    public static func eventsUntilClose(_ data: [String]) -> Answer {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        return Answer([.write(Array(head.utf8))] + data.map { .write(Array("data: \($0)\n\n".utf8)) } + [.close])
    }

    private static let streamHead = Array(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".utf8
    )
    private static let lastChunk = Array("0\r\n\r\n".utf8)

    private static func chunk(_ text: String) -> [UInt8] {
        Array("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n".utf8)
    }

    private static func saying(_ pieces: [String]) -> [Step] {
        [.write(streamHead)]
            + pieces.map {
                .write(chunk("data: \(ChatJSON.chunk(delta: #"{"content":\#(ChatJSON.quoted($0))}"#))\n\n"))
            }
    }
}
