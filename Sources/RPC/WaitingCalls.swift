import NIOCore

/// Calls that have not been written, in their order.
///
/// One that is withdrawn stays where it is until it comes up, or the withdrawn are as many as the others: thousands whose
/// deadline comes at the same moment would otherwise be searched for thousands of times, on the event loop of all.
struct WaitingCalls {
    private var calls = CircularBuffer<ClientCall>()
    /// Those that were not withdrawn.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ call: ClientCall) {
        calls.append(call)
        count += 1
    }

    mutating func prepend(_ call: ClientCall) {
        calls.prepend(call)
        count += 1
    }

    /// The next, if it is `wanted`; it waits no longer.
    mutating func next(where isWanted: (ClientCall) -> Bool) -> ClientCall? {
        while let call = calls.first {
            if call.isWaiting {
                guard isWanted(call) else { return nil }
                count -= 1
            }
            calls.removeFirst()
            if call.isWaiting { return call }
        }
        return nil
    }

    /// All of them; none is left.
    mutating func takeAll() -> [ClientCall] {
        defer { self = WaitingCalls() }
        return calls.filter(\.isWaiting)
    }

    /// This one waits no longer.
    mutating func withdraw(_ call: ClientCall) {
        call.place = .withdrawn
        count -= 1
        if calls.count >= 2 * count { calls.removeAll { !$0.isWaiting } }
    }
}

extension ClientCall {
    fileprivate var isWaiting: Bool { if case .waiting = place { true } else { false } }
}
