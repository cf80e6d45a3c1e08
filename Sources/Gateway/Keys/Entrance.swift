import Contract
import Daemon
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import RPC
import Synchronization
import Wire

/// Who may come in. Whoever is on this machine may, since the machine decides who that is: on a loopback address, or on a
/// Unix socket, whose file has a mode. Whoever comes in on any other address needs a key.
///
/// A reverse proxy on this machine is on loopback, whoever it speaks for: it has to decide itself who may come in, or the
/// rule is `always`.
final class Entrance: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Who needs a key.
    enum Rule: String, CaseIterable {
        case beyondLoopback = "beyond-loopback"
        case always

        /// `OCTAVO_HTTP_KEYS`.
        init(setting: String?) throws(ConfigurationError) {
            guard let rule = Self(rawValue: setting ?? Self.beyondLoopback.rawValue) else {
                let known = Self.allCases.map(\.rawValue).joined(separator: " or ")
                throw ConfigurationError("OCTAVO_HTTP_KEYS is \"\(setting ?? "")\"; it has to be \(known).")
            }
            self = rule
        }
    }

    /// What a load balancer asks without a key: whether the gateway runs, and is ready.
    private static let open: Set = ["/livez", "/readyz"]
    /// Monitoring, which goes on while the gateway takes no work.
    private static let metrics = "/metrics"

    private struct State {
        var rule: Rule
        var known = KnownKeys()
        var wrong = WrongKeys()
    }

    private let state: Mutex<State>
    private let drain: Drain
    private let logger: Logger
    private let check: @Sendable (CheckKey) async throws(ServiceError) -> Void

    /// - Parameters:
    ///   - drain: while it is on nobody comes in.
    ///   - check: asks storage. It has a connection of its own for this: however many wrong keys there are, no other call
    ///     waits behind them.
    init(
        _ rule: Rule,
        drain: Drain = Drain(),
        logger: Logger,
        check: @escaping @Sendable (CheckKey) async throws(ServiceError) -> Void
    ) {
        state = Mutex(State(rule: rule))
        self.drain = drain
        self.logger = logger
        self.check = check
    }

    /// Takes another rule from the next request on.
    func follow(_ rule: Rule) {
        state.withLock { $0.rule = rule }
    }

    /// What a request is refused with; nil when it may come in.
    func refusal(of request: Request, local: SocketAddress?, remote: SocketAddress?) async -> Response? {
        guard !Self.open.contains(request.uri.path) else { return nil }
        if drain.isOn, request.uri.path != Self.metrics { return Problem(Self.drained).response() }
        guard needsKey(local) else { return nil }
        do {
            try await admit(request.headers[values: .authorization], from: remote)
            return nil
        } catch {
            var response = Problem(error).response(retryAfterMilliseconds: error.afterMilliseconds)
            if error.code == .unauthenticated {
                // RFC 6750, 3: a reason where a key was given.
                let reason = request.headers[.authorization] == nil ? "" : ", error=\"invalid_token\""
                response.headers[.wwwAuthenticate] = "Bearer realm=\"octavo\"\(reason)"
            }
            return response
        }
    }

    private func needsKey(_ local: SocketAddress?) -> Bool {
        if state.withLock({ $0.rule }) == .always { return true }
        switch local {
        case .unixDomainSocket: return false
        case .some(let address): return !address.isLoopback
        // The other end is gone already, and nobody will read the answer.
        case nil: return true
        }
    }

    private func admit(_ headers: [String], from remote: SocketAddress?) async throws(ServiceError) {
        guard let header = headers.first, headers.count == 1 else { throw Self.missing }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw Self.missing }
        guard let key = APIKey(parts[1]) else { throw Self.wrong }
        let now = Instant.now
        // Without an address the other end is gone already.
        let place = remote?.place ?? WrongKeys.Place(octets: [])
        switch state.withLock({ $0.known.standing(of: key, now: now) }) {
        case .inForce: return
        case .toCheck: try await checkAgain(key, now)
        case .old: try await checkNow(key, now, from: place)
        case .unknown:
            if let wait = state.withLock({ $0.wrong.wait(for: place, now: now) }) { throw Self.held(wait) }
            try await checkNow(key, now, from: place)
        }
    }

    /// A key that counts for another moment, also when storage cannot be asked.
    private func checkAgain(_ key: APIKey, _ now: Instant) async throws(ServiceError) {
        do {
            try await check(CheckKey(key.id, digest: key.digest))
            state.withLock { $0.known.inForce(key, asked: now) }
        } catch  where error.code == .unauthenticated {
            state.withLock { $0.known.refused(key) }
            logger.notice("a key is in force no more", metadata: ["key": "\(key.prefix)"])
            throw Self.wrong
        } catch {
            state.withLock { $0.known.notChecked(key) }
        }
    }

    /// Nobody comes in because storage cannot be asked.
    private func checkNow(_ key: APIKey, _ now: Instant, from place: WrongKeys.Place) async throws(ServiceError) {
        do {
            try await check(CheckKey(key.id, digest: key.digest))
            state.withLock { $0.known.inForce(key, asked: now) }
        } catch  where error.code == .unauthenticated {
            let count = state.withLock { state in
                state.known.refused(key)
                return state.wrong.add(place, now: now)
            }
            // A few lines tell what a thousand would.
            if count <= WrongKeys.most {
                logger.notice("a wrong key", metadata: ["key": "\(key.prefix)", "from": "\(place)"])
            }
            throw Self.wrong
        } catch {
            throw .unavailable("The key cannot be checked now; try again in a moment.", afterMilliseconds: 1_000)
        }
    }

    private static func held(_ wait: Duration) -> ServiceError {
        .resourceExhausted(
            "Too many wrong keys came from there; new ones are looked at again in a while.",
            afterMilliseconds: Int(wait / .milliseconds(1))
        )
    }

    private static let drained = ServiceError.unavailable("The gateway takes no requests now; try again later.")
    private static let missing = ServiceError.unauthenticated(
        "This address serves callers with a key: Authorization: Bearer octavo_… (an administrator makes one with octavo keys create NAME)."
    )
    private static let wrong = ServiceError.unauthenticated(
        "The key is not valid: it is written wrongly, was revoked, or has expired."
    )
}
