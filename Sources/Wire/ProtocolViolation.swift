/// A rule of `protocol/README.md` that a peer broke. There is no going on after one: the connection is closed.
public struct ProtocolViolation: Error, Sendable, Equatable {
    /// Which rule; the raw values are stable names, for counters, logs and the fixtures' file names.
    public enum Reason: String, Sendable, CaseIterable {
        // Frames
        case frameLength = "frame_length"
        case frameOverLimit = "frame_over_limit"
        case frameNotObject = "frame_not_object"
        case frameNotTerminated = "frame_not_terminated"
        case frameCut = "frame_cut"
        case frameTooSlow = "frame_too_slow"
        // JSON
        case syntax
        case number
        case controlOctet = "control_octet"
        case invalidUTF8 = "invalid_utf8"
        case nulCharacter = "nul_character"
        case loneSurrogate = "lone_surrogate"
        case duplicateKey = "duplicate_key"
        case tooDeep = "too_deep"
        case tooManyKeys = "too_many_keys"
        // Messages
        case noKind = "no_kind"
        case twoKinds = "two_kinds"
        case invalidMember = "invalid_member"
        // Conversations
        case helloExpected = "hello_expected"
        case helloLate = "hello_late"
        case noCommonVersion = "no_common_version"
        case unexpectedMessage = "unexpected_message"
        case idNotIncreasing = "id_not_increasing"
        case unknownID = "unknown_id"
        case creditExceeded = "credit_exceeded"
        case sequence
    }

    /// Which rule.
    public var reason: Reason
    /// What was found, for a person; never the peer's own text.
    public var detail: String

    /// A violation of the named rule.
    public init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    /// What the peer is told before the connection is closed.
    public var error: ServiceError {
        ServiceError(
            reason == .noCommonVersion ? .failedPrecondition : .protocolError,
            "\(reason.rawValue): \(detail)",
            retry: .no
        )
    }
}
