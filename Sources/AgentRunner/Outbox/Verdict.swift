import Contract

/// How a message fared: what its receiver answered, or what kept it from answering, and what follows.
struct Verdict: Sendable, Equatable {
    var verdict: SettleMessage.Verdict
    var status: Int?
    var error: String?
    /// How long the receiver wants to be left alone.
    var afterSeconds: Int?

    static let sent = Verdict(verdict: .sent)

    /// Nothing of the message has left this machine, or the receiver has said that it does not have it.
    static func failed(_ error: String) -> Verdict { Verdict(verdict: .failed, error: error) }

    /// It was sent, and the answer did not come: the receiver may have it.
    static func unknown(_ error: String) -> Verdict { Verdict(verdict: .unknown, error: error) }

    private init(verdict: SettleMessage.Verdict, status: Int? = nil, error: String? = nil, afterSeconds: Int? = nil) {
        self.verdict = verdict
        self.status = status
        self.error = error
        self.afterSeconds = afterSeconds
    }

    /// What an answer means.
    /// - Parameter retryAfter: the header of that name, in seconds; a date is not read, and the usual pause holds.
    init(status: Int, retryAfter: String?) {
        self.status = status
        switch status {
        case 200..<300: verdict = .sent
        case 410:
            verdict = .gone
            error = "The receiver is gone (410)."
        case 300..<400:
            verdict = .failed
            // Where it leads was checked by nobody, and the receiver can be asked for its new address.
            error = "The receiver sends elsewhere (\(status)), which is not followed: change the webhook's URL."
        case 502, 504:
            // Whoever stands before the receiver did not hear from it.
            verdict = .unknown
            error = "What stands before the receiver did not hear from it (\(status))."
        default:
            verdict = .failed
            error = "The receiver answered \(status)."
            if [429, 503].contains(status) { afterSeconds = retryAfter.flatMap { Int($0) }.map { max(0, $0) } }
        }
    }
}
