public import NIOCore

// Messages are built octet by octet: an encoder would cost more than the whole hop does. The members stand in the order
// of the protocol's page, which is the form the fixtures have.
extension Message {
    /// Appends the payload, without the frame around it.
    public func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .hello(let hello): hello.encode(into: &buffer)
        case .call(let call): call.encode(into: &buffer)
        case .result(let id, let value):
            buffer.begin(id, "result")
            buffer.writeImmutableBuffer(value.bytes)
        case .error(let id, let error):
            if let id { buffer.begin(id, "error") } else { buffer.writeStaticString("{\"error\":") }
            error.encode(into: &buffer)
        case .item(let id, let sequence, let value):
            buffer.begin(id, "item")
            buffer.writeImmutableBuffer(value.bytes)
            buffer.writeMember("sequence", sequence)
        case .end(let id, let items, let result):
            buffer.begin(id, "end")
            buffer.writeStaticString("{\"items\":")
            buffer.writeDecimal(items)
            if let result { buffer.writeMember("result", result) }
            buffer.writeStaticString("}")
        case .credit(let id, let more):
            buffer.begin(id, "credit")
            buffer.writeDecimal(more)
        case .cancel(let id, let reason):
            buffer.begin(id, "cancel")
            buffer.writeJSONString(reason)
        case .ping(let number):
            buffer.writeStaticString("{\"ping\":")
            buffer.writeDecimal(number)
        case .pong(let number):
            buffer.writeStaticString("{\"pong\":")
            buffer.writeDecimal(number)
        case .goaway(let goaway):
            buffer.writeStaticString("{\"goaway\":{\"last\":")
            buffer.writeDecimal(goaway.last)
            buffer.writeMember("reason", goaway.reason)
            buffer.writeMember("grace_ms", goaway.graceMilliseconds)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("}")
    }
}

extension Message.Hello {
    fileprivate func encode(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"hello\":{\"protocol\":{\"minimum\":")
        buffer.writeDecimal(versions.lowerBound)
        buffer.writeMember("maximum", versions.upperBound)
        buffer.writeStaticString("}")
        buffer.writeMember("role", role)
        buffer.writeMember("build", build)
        buffer.writeStaticString(",\"limits\":{\"frame_bytes\":")
        buffer.writeDecimal(limits.frameBytes)
        buffer.writeMember("calls_in_flight", limits.callsInFlight)
        buffer.writeMember("streams_open", limits.streamsOpen)
        buffer.writeMember("credit", limits.credit)
        buffer.writeStaticString("}}")
    }
}

extension Message.Call {
    fileprivate func encode(into buffer: inout ByteBuffer) {
        buffer.begin(id, "call")
        buffer.writeJSONString(operation)
        if let within { buffer.writeMember("within", within) }
        if arguments != .emptyObject { buffer.writeMember("arguments", arguments) }
        if let deadlineMilliseconds { buffer.writeMember("deadline_ms", deadlineMilliseconds) }
        if let stream { buffer.writeMember("stream", stream) }
        if let idempotencyKey { buffer.writeMember("idempotency_key", idempotencyKey) }
        if let traceparent { buffer.writeMember("traceparent", traceparent.description) }
    }
}

extension ServiceError {
    fileprivate func encode(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"code\":")
        buffer.writeJSONString(code.rawValue)
        buffer.writeMember("message", message)
        buffer.writeMember("retry", retry.rawValue)
        if let afterMilliseconds { buffer.writeMember("after_ms", afterMilliseconds) }
        if let details { buffer.writeMember("details", details) }
        buffer.writeStaticString("}")
    }
}

extension ByteBuffer {
    /// `{"id":7,"result":`
    fileprivate mutating func begin(_ id: CallID, _ kind: StaticString) {
        writeStaticString("{\"id\":")
        writeDecimal(id)
        writeKey(kind)
    }

    /// `,"key":`
    private mutating func writeKey(_ key: StaticString) {
        writeStaticString(",\"")
        writeStaticString(key)
        writeStaticString("\":")
    }

    fileprivate mutating func writeMember(_ key: StaticString, _ value: Int) {
        writeKey(key)
        writeDecimal(value)
    }

    fileprivate mutating func writeMember(_ key: StaticString, _ value: String) {
        writeKey(key)
        writeJSONString(value)
    }

    fileprivate mutating func writeMember(_ key: StaticString, _ value: JSON) {
        writeKey(key)
        writeImmutableBuffer(value.bytes)
    }

    /// A number in decimal; `String(_:)` needs no memory of its own up to 15 digits.
    mutating func writeDecimal(_ number: Int) {
        writeString(String(number))
    }

    /// A string with its quotes. U+0000 may not travel, and becomes U+FFFD.
    mutating func writeJSONString(_ text: String) {
        writeStaticString("\"")
        if text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            for octet in text.utf8 { writeEscaped(octet) }
        } else {
            writeString(text)
        }
        writeStaticString("\"")
    }

    private mutating func writeEscaped(_ octet: UInt8) {
        switch octet {
        case 0: writeString("\u{FFFD}")
        case UInt8(ascii: "\""): writeStaticString("\\\"")
        case UInt8(ascii: "\\"): writeStaticString("\\\\")
        case UInt8(ascii: "\n"): writeStaticString("\\n")
        case UInt8(ascii: "\r"): writeStaticString("\\r")
        case UInt8(ascii: "\t"): writeStaticString("\\t")
        case 0x08: writeStaticString("\\b")
        case 0x0C: writeStaticString("\\f")
        case 0..<0x20:
            writeStaticString(octet < 0x10 ? "\\u000" : "\\u001")
            writeString(String(octet & 0x0F, radix: 16))
        default: writeInteger(octet)
        }
    }
}
