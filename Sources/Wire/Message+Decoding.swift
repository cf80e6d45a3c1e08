public import NIOCore

extension Message {
    /// Reads a frame's payload. One pass checks all of it and finds the members; arguments, results and items stay slices
    /// of it. Unknown members are passed over.
    /// - Throws: `ProtocolViolation`.
    public init(decoding payload: ByteBuffer) throws(ProtocolViolation) {
        let text = JSON(trusted: payload)
        var envelope = Envelope()
        for member in try JSONScanner.members(of: payload) {
            try envelope.take(member.key, text.slice(member.value))
        }
        guard text.isObject, let kind = envelope.kind else {
            throw ProtocolViolation(.noKind, "a message has one of the kind keys")
        }
        self = try envelope.message(of: kind)
    }

    fileprivate enum Kind: String {
        case hello, call, result, error, item, end, credit, cancel, ping, pong, goaway
    }
}

/// The outermost members of a message, each still text.
private struct Envelope {
    var kind: Message.Kind?
    var value = JSON.null
    var id: JSON?
    var within: JSON?
    var arguments: JSON?
    var deadline: JSON?
    var stream: JSON?
    var idempotencyKey: JSON?
    var traceparent: JSON?
    var sequence: JSON?

    mutating func take(_ key: String, _ member: JSON) throws(ProtocolViolation) {
        switch key {
        case "id": id = member
        case "within": within = member
        case "arguments": arguments = member
        case "deadline_ms": deadline = member
        case "stream": stream = member
        case "idempotency_key": idempotencyKey = member
        case "traceparent": traceparent = member
        case "sequence": sequence = member
        default:
            guard let found = Message.Kind(rawValue: key) else { return }
            guard kind == nil else { throw ProtocolViolation(.twoKinds, "a message has only one of the kind keys") }
            kind = found
            value = member
        }
    }

    func message(of kind: Message.Kind) throws(ProtocolViolation) -> Message {
        switch kind {
        case .hello: return .hello(try Message.Hello(value))
        case .call: return .call(try call())
        case .result: return .result(id: try callID(), value)
        case .error: return .error(id: id == nil ? nil : try callID(), try ServiceError(value))
        case .item:
            let sequence = try sequence.integer("sequence", in: 0...Limits.largestID)
            return .item(id: try callID(), sequence: sequence, value)
        case .end:
            let members = try value.object("end")
            let items = try members["items"].integer("items", in: 0...Limits.largestID)
            return .end(id: try callID(), items: items, result: members["result"])
        case .credit: return .credit(id: try callID(), try value.integer("credit", in: 1...Limits.standard.credit))
        case .cancel: return .cancel(id: try callID(), reason: try value.string("cancel"))
        case .ping: return .ping(try value.integer("ping", in: -Limits.largestID...Limits.largestID))
        case .pong: return .pong(try value.integer("pong", in: -Limits.largestID...Limits.largestID))
        case .goaway: return .goaway(try Message.Goaway(value))
        }
    }

    private func callID() throws(ProtocolViolation) -> CallID {
        try id.integer("id", in: 1...Limits.largestID)
    }

    private func call() throws(ProtocolViolation) -> Message.Call {
        var call = Message.Call(id: try callID(), operation: try value.string("call"))
        if let arguments {
            guard arguments.isObject else { throw invalid("arguments", "an object") }
            call.arguments = arguments
        }
        call.within = try within?.integer("within", in: 1...Limits.largestID)
        call.deadlineMilliseconds = try deadline?.integer("deadline_ms", in: 0...Limits.largestID)
        call.stream = try stream?.integer("stream", in: 1...Limits.standard.credit)
        if let idempotencyKey {
            let key = try idempotencyKey.string("idempotency_key")
            guard (1...Limits.idempotencyKeyBytes).contains(key.utf8.count) else {
                throw invalid("idempotency_key", "1 to \(Limits.idempotencyKeyBytes) octets")
            }
            call.idempotencyKey = key
        }
        // A malformed trace is no reason to refuse the call.
        call.traceparent = traceparent?.string.flatMap(TraceParent.init)
        return call
    }
}

extension Message.Hello {
    fileprivate init(_ value: JSON) throws(ProtocolViolation) {
        let members = try value.object("hello")
        let range = try members["protocol"].object("protocol")
        let minimum = try range["minimum"].integer("minimum", in: 1...Limits.largestID)
        let maximum = try range["maximum"].integer("maximum", in: minimum...Limits.largestID)
        versions = minimum...maximum
        role = try members["role"]?.string("role") ?? ""
        build = try members["build"]?.string("build") ?? ""
        limits = Message.Accepted()
        // Who does not say accepts what version 1 promises.
        guard let announced = try members["limits"]?.object("limits") else { return }
        try announced["frame_bytes"].set(&limits.frameBytes, "frame_bytes", atLeast: Limits.smallestFrameBytes)
        try announced["calls_in_flight"].set(&limits.callsInFlight, "calls_in_flight")
        try announced["streams_open"].set(&limits.streamsOpen, "streams_open")
        try announced["credit"].set(&limits.credit, "credit")
    }
}

extension Message.Goaway {
    fileprivate init(_ value: JSON) throws(ProtocolViolation) {
        let members = try value.object("goaway")
        last = try members["last"].integer("last", in: 0...Limits.largestID)
        reason = try members["reason"]?.string("reason") ?? ""
        graceMilliseconds = try members["grace_ms"]?.integer("grace_ms", in: 0...Limits.largestID) ?? 0
    }
}

extension ServiceError {
    fileprivate init(_ value: JSON) throws(ProtocolViolation) {
        let members = try value.object("error")
        // Codes are added over time; whoever does not know one yet treats it as a defect.
        code = ErrorCode(rawValue: try members["code"].string("code")) ?? .internal
        message = try members["message"]?.string("message") ?? ""
        retry = Retry(rawValue: try members["retry"]?.string("retry") ?? "") ?? .no
        afterMilliseconds = try members["after_ms"]?.integer("after_ms", in: 0...Limits.largestID)
        details = members["details"]
        if let details, !details.isObject { throw invalid("details", "an object") }
    }
}

// What a member must be, or the message is refused by the member's name.

private func invalid(_ name: String, _ what: String) -> ProtocolViolation {
    ProtocolViolation(.invalidMember, "\"\(name)\" must be \(what)")
}

extension JSON {
    fileprivate func integer(_ name: String, in range: ClosedRange<Int>) throws(ProtocolViolation) -> Int {
        guard let value = integer, range.contains(value) else {
            throw invalid(name, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    fileprivate func string(_ name: String) throws(ProtocolViolation) -> String {
        guard let value = string else { throw invalid(name, "a string") }
        return value
    }

    fileprivate func object(_ name: String) throws(ProtocolViolation) -> [String: JSON] {
        guard let members else { throw invalid(name, "an object") }
        return Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
    }
}

extension JSON? {
    fileprivate func integer(_ name: String, in range: ClosedRange<Int>) throws(ProtocolViolation) -> Int {
        try (self ?? .null).integer(name, in: range)
    }

    fileprivate func string(_ name: String) throws(ProtocolViolation) -> String {
        try (self ?? .null).string(name)
    }

    fileprivate func object(_ name: String) throws(ProtocolViolation) -> [String: JSON] {
        try (self ?? .null).object(name)
    }

    fileprivate func set(_ value: inout Int, _ name: String, atLeast: Int = 1) throws(ProtocolViolation) {
        if let self { value = try self.integer(name, in: atLeast...Limits.largestID) }
    }
}
