import Contract
import FoundationEssentials
import Synchronization

/// Wakes whoever waits for something to happen to a run, or for a run to claim, here and on the other hosts. A signal says
/// "look again" and carries nothing: who waits subscribes first and looks then, so none is missed.
final class RunSignals: Sendable {
    /// What is waited for.
    enum Topic: Hashable {
        case run(RunID)
        case queue
        /// What a runner is told.
        case runner(String)
        /// What the next look at the clock is planned by.
        case clock
        /// There is something to send, or a destination is free.
        case outbox
    }

    /// What the other hosts are told.
    struct News {
        /// More are not worth telling one by one: then they look at everything.
        static let mostRuns = 100
        /// More are not told one by one: then all runners say what they hold. Some 150 kilobytes of notifications.
        static let mostStops = 1_000

        var isQueue = false
        var isClock = false
        var isOutbox = false
        var runs: Set<RunID> = []
        var stops: [Stop] = []
        var isEmpty: Bool { !isQueue && !isClock && !isOutbox && runs.isEmpty && stops.isEmpty }
    }

    /// Work that a runner is to stop.
    struct Stop: Hashable {
        var runner: String
        var run: RunID
        var attempt: Int
    }

    private struct State {
        var waiters: [Topic: [Int: Signal]] = [:]
        var next = 0
        var news = News()
        /// For the runners that are here.
        var stops: [String: [ClaimRuns.Stop]] = [:]
    }

    private let state = Mutex(State())
    /// There is news for the other hosts.
    let newsCame = Signal()
    /// Whether there is anybody to be told of runs that end; most installations have nobody.
    let hasDestinations = Atomic(true)
    /// Whether other hosts are not heard here: not yet, not now, or not at all.
    let isDeaf = Atomic(true)
    /// How often something may not have been heard that other hosts said.
    let misses = Atomic(0)
    /// Those that have ended.
    let counts = RunCounts()

    /// Carries out `body` with the signal of some topics; several that nobody has looked at yet are one.
    func subscribed<T>(to topics: Topic..., body: (Signal) async throws -> T) async rethrows -> T {
        let signal = Signal()
        let id = state.withLock { state in
            state.next += 1
            for topic in topics { state.waiters[topic, default: [:]][state.next] = signal }
            return state.next
        }
        defer {
            state.withLock { state in
                for topic in topics {
                    state.waiters[topic]?[id] = nil
                    guard state.waiters[topic]?.isEmpty == true else { continue }
                    state.waiters[topic] = nil
                    if case .runner(let runner) = topic { state.stops[runner] = nil }
                }
            }
        }
        return try await body(signal)
    }

    /// Something happened, by what this process has done.
    func signal(_ topic: Topic) {
        signalHere(topic)
        state.withLock { state in
            switch topic {
            case .run(let run): state.news.runs.insert(run)
            case .queue: state.news.isQueue = true
            case .clock: state.news.isClock = true
            case .outbox: state.news.isOutbox = true
            case .runner: break
            }
        }
        newsCame.set()
    }

    /// Runs have ended, or may have: they are counted, and whoever is to be told of them has a message waiting.
    func runsEnded(_ runs: [UUID]) {
        counts.touched(runs)
        if hasDestinations.load(ordering: .relaxed) { signal(.outbox) }
    }

    /// Something happened that the other hosts know of, or need not know of.
    func signalHere(_ topic: Topic) {
        let waiters = state.withLock { Array(($0.waiters[topic] ?? [:]).values) }
        for waiter in waiters { waiter.set() }
    }

    /// Everybody here looks: for what happened where this process did not see it.
    func signalAll() {
        let waiters = state.withLock { $0.waiters.values.flatMap(\.values) }
        for waiter in waiters { waiter.set() }
    }

    /// Something was not heard that other hosts said: everybody here looks, and runners say anew what they hold, since what they
    /// are to stop was told once.
    func missed() {
        misses.add(1, ordering: .relaxed)
        signalAll()
    }

    /// Stops that the other hosts could not be told of. Their runners hear of more than can be kept when they claim again.
    func tellAgain(_ stops: [Stop]) {
        state.withLock { $0.news.stops = Array((stops + $0.news.stops).prefix(News.mostStops + 1)) }
        if !stops.isEmpty { newsCame.set() }
    }

    /// Work is to be stopped, here or on another host.
    func stop(_ stop: Stop) {
        state.withLock { $0.news.stops.append(stop) }
        stopHere(stop)
        newsCame.set()
    }

    /// Work is to be stopped if its runner is here. Whoever is not heard here is told when it claims again.
    func stopHere(_ stop: Stop) {
        state.withLock { state in
            guard state.waiters[.runner(stop.runner)] != nil else { return }
            state.stops[stop.runner, default: []].append(ClaimRuns.Stop(run: stop.run, attempt: stop.attempt))
        }
        signalHere(.runner(stop.runner))
    }

    /// What a runner is to stop.
    func takeStops(of runner: String) -> [ClaimRuns.Stop] {
        state.withLock { $0.stops.removeValue(forKey: runner) ?? [] }
    }

    /// What the other hosts are told, once.
    func takeNews() -> News {
        state.withLock { state in
            defer { state.news = News() }
            return state.news
        }
    }
}
