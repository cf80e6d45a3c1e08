import Synchronization

/// Leaves a model alone that fails again and again, so that whoever asks is told at once, or asked of another model, and what
/// failed has time to recover. One stands in front of all models of a provider, and counts for each of them: a server often has
/// one model that is broken beside others that are well, and one that is away altogether is noticed by each.
///
///     closed ── failures in a row ──▶ open ── pause over ──▶ one request tries ── success ──▶ closed
///                                      ▲                             │
///                                      └───── pause doubled ◀── failure
///
/// A provider that asked for fewer requests is left alone as long as it asked, by everybody.
public final class CircuitBreaker: Sendable {
    private let circuits: Mutex<Circuits>

    /// - Parameters:
    ///   - failures: how many in a row open it. Three requests with their retries are nine.
    ///   - pause: how long it is open at first; twice as long after each trial that fails, up to a minute.
    public init(failures: Int = 9, pause: Duration = .seconds(10)) {
        circuits = Mutex(Circuits(threshold: max(1, failures), shortest: pause))
    }

    /// Throws ``ProviderFailure`` when no request may be made now.
    func admit(_ model: ServedModel, now: ContinuousClock.Instant = .now) throws {
        if let refusal = circuits.withLock({ $0.admit(model, now) }).refusal(of: model) { throw refusal }
    }

    /// The same, where nothing is to be asked yet.
    func check(_ model: ServedModel, now: ContinuousClock.Instant = .now) throws(AgentError) {
        if let refusal = circuits.withLock({ $0.verdict(model, now) }).refusal(of: model) { throw refusal.error }
    }

    /// What is amiss: a sentence for each model that has failed or refused at least so often in a row, and one where the provider wants to
    /// be left alone.
    func troubles(after failures: Int, now: ContinuousClock.Instant = .now) -> [String] {
        circuits.withLock { $0.troubles(after: failures, now) }
    }

    /// How many models have failed or refused at least so often in a row.
    func failing(after failures: Int, now: ContinuousClock.Instant = .now) -> Int {
        circuits.withLock { $0.failing(after: failures, now).count }
    }

    func succeeded(_ model: ServedModel) {
        circuits.withLock { $0.succeeded(model) }
    }

    /// The request came to nothing, whatever the reason: what it was says whether the provider is to blame.
    func ended(_ model: ServedModel, with error: AgentError?, now: ContinuousClock.Instant = .now) {
        circuits.withLock { circuits in
            switch error?.code {
            case .providerUnavailable, .timedOut: circuits.failed(model, error?.message ?? "", now)
            case .rateLimited: circuits.hold(error?.retryAfter, askedOf: model, now)
            case .providerRefused: circuits.refused(model, error?.message ?? "", now)
            default: circuits.abandoned(model)
            }
        }
    }
}

/// Pure: what happened goes in, whether to ask comes out.
struct Circuits {
    enum Verdict: Equatable {
        case admitted
        /// With what was the matter the last time.
        case open(Duration, String)
        case held(Duration)

        func refusal(of model: ServedModel) -> ProviderFailure? {
            switch self {
            case .admitted: return nil
            case .open(let rest, let reason):
                let sentence =
                    "\(model) failed again and again, and is left alone for a while. The last time: \(reason)"
                return ProviderFailure(AgentError(.providerUnavailable, sentence, retryAfter: rest), mayRetry: false)
            case .held(let rest):
                let error = AgentError(.rateLimited, Circuits.wish(of: model.provider), retryAfter: rest)
                return ProviderFailure(error, mayRetry: true)
            }
        }
    }

    /// A provider that was away for an hour is found again within this.
    static let longest = Duration.seconds(60)
    /// The most it may ask for: one that says a year is asked once an hour.
    private static let longestHold = Duration.seconds(3_600)
    /// What nobody has asked for so long is no news any more: perhaps nobody ever will.
    private static let longestTrouble = Duration.seconds(600)
    /// Models that fail at the same time: more than any provider has, unless names are made up. Those beyond are asked as ever.
    private static let mostModels = 1_000

    let threshold: Int
    let shortest: Duration
    /// Of the models that have failed and not answered since.
    private var failing: [ServedModel: CircuitState] = [:]
    private var heldUntil: ContinuousClock.Instant?
    private var holder = ""

    static func wish(of provider: String) -> String {
        "The provider \(provider.isEmpty ? "" : "\(provider) ")asked for fewer requests."
    }

    init(threshold: Int, shortest: Duration) {
        self.threshold = threshold
        self.shortest = shortest
    }

    mutating func admit(_ model: ServedModel, _ now: ContinuousClock.Instant) -> Verdict {
        if let heldUntil, now < heldUntil { return .held(heldUntil - now) }
        return failing[model]?.admit(now) ?? .admitted
    }

    /// What `admit` would say.
    func verdict(_ model: ServedModel, _ now: ContinuousClock.Instant) -> Verdict {
        var copy = self
        return copy.admit(model, now)
    }

    mutating func succeeded(_ model: ServedModel) {
        failing[model] = nil
    }

    mutating func failed(_ model: ServedModel, _ reason: String, _ now: ContinuousClock.Instant) {
        guard failing[model] != nil || failing.count < Self.mostModels else { return }
        let new = CircuitState(threshold: threshold, shortest: shortest)
        failing[model, default: new].failed(reason, now)
    }

    /// It answers, but not what it is asked: its key is wrong, or its name, or this request.
    mutating func refused(_ model: ServedModel, _ reason: String, _ now: ContinuousClock.Instant) {
        abandoned(model)
        guard failing[model] != nil || failing.count < Self.mostModels else { return }
        let new = CircuitState(threshold: threshold, shortest: shortest)
        failing[model, default: new].refused(reason, now)
    }

    mutating func hold(_ wish: Duration?, askedOf model: ServedModel, _ now: ContinuousClock.Instant) {
        abandoned(model)
        guard let wish else { return }
        heldUntil = max(heldUntil ?? now, now + min(wish, Self.longestHold))
        holder = model.provider
    }

    func troubles(after failures: Int, _ now: ContinuousClock.Instant) -> [String] {
        let held = heldUntil.map { now < $0 } == true ? [Self.wish(of: holder)] : []
        return held + failing(after: failures, now).map { "\($0) \($1.trouble(after: failures, now))" }.sorted()
    }

    func failing(after failures: Int, _ now: ContinuousClock.Instant) -> [ServedModel: CircuitState] {
        failing.filter {
            max($0.value.failures, $0.value.refusals) >= failures && now - $0.value.last < Self.longestTrouble
        }
    }

    /// It was cancelled: that says nothing of the model.
    mutating func abandoned(_ model: ServedModel) {
        failing[model]?.abandoned()
    }
}

/// That of one model that has failed and not answered since.
struct CircuitState {
    let threshold: Int
    let shortest: Duration
    private(set) var failures = 0
    /// Since it failed or answered the last time.
    private(set) var refusals = 0
    /// When it failed or refused.
    private(set) var last = ContinuousClock.now
    private var reason = ""
    private var pause: Duration?
    private var openUntil: ContinuousClock.Instant?
    private var isTrying = false

    init(threshold: Int, shortest: Duration) {
        self.threshold = threshold
        self.shortest = shortest
    }

    mutating func admit(_ now: ContinuousClock.Instant) -> Circuits.Verdict {
        guard let openUntil else { return .admitted }
        if now < openUntil { return .open(openUntil - now, reason) }
        // One at a time: a model that comes back slowly is not to be met by all at once.
        guard !isTrying else { return .open(shortest, reason) }
        isTrying = true
        return .admitted
    }

    /// What is the matter, as the end of a sentence about the model.
    func trouble(after times: Int, _ now: ContinuousClock.Instant) -> String {
        let last = "The last time: \(reason)"
        guard refusals < times else { return "has refused what it was asked \(refusals) times in a row. \(last)" }
        let rest = openUntil.flatMap { now < $0 ? $0 - now : nil }
        let pause = rest.map { ", and is left alone for \(Duration.seconds(Int($0 / .seconds(1)) + 1).inWords)" } ?? ""
        return "does not answer: it has failed \(failures) times in a row\(pause). \(last)"
    }

    mutating func refused(_ reason: String, _ now: ContinuousClock.Instant) {
        refusals += 1
        self.reason = reason
        last = now
    }

    mutating func failed(_ reason: String, _ now: ContinuousClock.Instant) {
        refusals = 0
        failures += 1
        last = now
        self.reason = reason
        let wasTrying = isTrying
        isTrying = false
        // Requests that were under way when it opened say nothing new.
        guard failures >= threshold, wasTrying || openUntil == nil else { return }
        let next = min(pause.map { $0 * 2 } ?? shortest, Circuits.longest)
        pause = next
        openUntil = now + next
    }

    mutating func abandoned() {
        isTrying = false
    }
}
