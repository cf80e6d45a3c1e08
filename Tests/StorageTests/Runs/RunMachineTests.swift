import Contract
import Testing

@testable import Storage

/// The machine of a run, by itself.
@Suite struct RunMachineTests {
    @Test func everyPairOfStateAndEventIsEitherATransitionOfThePageOrRefusedAndChangesNothing() {
        for start in RunWalk.starts {
            for event in RunWalk.events(for: start.run) {
                var run = start.run
                do throws(RunMachine.Refusal) {
                    _ = try run.take(event)
                    let kind = RunWalk.kind(event)
                    #expect(
                        RunWalk.page.contains([kind, "\(start.run.state)", "\(run.state)"]),
                        "\(start.name) \(event)"
                    )
                } catch {
                    #expect(run == start.run, "\(start.name) \(event)")
                }
            }
        }
    }

    @Test func whatHasEndedStaysAsItIs() {
        for start in RunWalk.starts where start.run.state.isTerminal {
            for event in RunWalk.events(for: start.run) {
                var run = start.run
                #expect(throws: RunMachine.Refusal.self) { try run.take(event) }
            }
        }
    }

    @Test func onlyTheHolderOfTheLeaseWrites() {
        for start in RunWalk.starts {
            for event in RunWalk.events(for: start.run) {
                guard let lease = RunWalk.lease(of: event), lease != start.run.lease else { continue }
                var run = start.run
                #expect(throws: RunMachine.Refusal.lease) { try run.take(event) }
            }
        }
    }

    /// Long random walks: whatever happens, these hold.
    @Test func noWalkLeavesTheDiagram() throws {
        var random = SplitMix(seed: 5)
        for _ in 0..<2_000 {
            var run = RunMachine.enqueued(isDue: Bool.random(using: &random), hasLane: Bool.random(using: &random))
            var ends = 0
            var events = 0
            for _ in 0..<60 {
                let event = try #require(RunWalk.events(for: run).randomElement(using: &random))
                let before = run
                guard let actions = try? run.take(event) else { continue }
                #expect(run.events >= events && run.attempt >= before.attempt && run.failures <= run.tries)
                #expect((run.state == .running) == (run.runner != nil))
                #expect(!run.state.isTerminal || !run.hasTurn)
                #expect(run.hasLane || !run.hasTurn)
                // Whoever passes a turn on had it, and what was held is told when storage ends it.
                #expect(actions.contains(.passTurn) == (before.hasTurn && run.state.isTerminal))
                events = run.events
                if run.state.isTerminal { ends += 1 }
            }
            #expect(ends <= 1)
        }
    }

    @Test func aRunnerThatIsStoppedCostsNoTry() throws {
        var run = RunMachine.enqueued(isDue: true, tries: 1)
        for attempt in 1...10 {
            _ = try run.take(.claim(runner: "a"))
            let actions = try run.take(.drain(.init(runner: "a", attempt: attempt)))
            #expect(actions == [.offer])
        }
        #expect(run.state == .queued && run.failures == 0 && run.attempt == 10)
    }

    @Test func theLastFailureEndsItAndStorageWritesTheLastEvent() throws {
        var run = RunMachine.enqueued(isDue: true, tries: 2)
        _ = try run.take(.claim(runner: "a"))
        let first = try run.take(.fail(.init(runner: "a", attempt: 1), hasTime: true))
        #expect(first == [.show(upTo: 1)] && run.state == .scheduled)
        _ = try run.take(.fallDue(hasTurn: true))
        _ = try run.take(.claim(runner: "b"))
        let last = try run.take(.lose)
        #expect(run.state == .failed && last.contains(.conclude(event: 2)) && last.contains(.show(upTo: 2)))
    }

    @Test func whoseProviderIsLeftAloneLosesNoTry() throws {
        var run = RunMachine.enqueued(isDue: true, tries: 1)
        for attempt in 1...10 {
            _ = try run.take(.claim(runner: "a"))
            let actions = try run.take(.hold(.init(runner: "a", attempt: attempt), hasTime: true))
            #expect(actions == [.show(upTo: attempt)])
            _ = try run.take(.fallDue(hasTurn: true))
        }
        _ = try run.take(.claim(runner: "a"))
        _ = try run.take(.fail(.init(runner: "a", attempt: 11), hasTime: true))
        #expect(run.state == .failed)
    }

    @Test func whoHasNoTimeForAnotherTryEndsWithTheFirstFailure() throws {
        var run = RunMachine.opened(by: "a")
        let actions = try run.take(.fail(.init(runner: "a", attempt: 1), hasTime: false))
        #expect(run.state == .failed && actions.contains(.conclude(event: 2)) && actions.contains(.show(upTo: 2)))
    }

    @Test func eventsMayBeSentAgainAndLeaveNoGap() throws {
        var run = RunMachine.opened(by: "a")
        let lease = RunMachine.Lease(runner: "a", attempt: 1)
        _ = try run.take(.append(lease, first: 2, count: 3))
        _ = try run.take(.append(lease, first: 2, count: 3))
        #expect(run.events == 4)
        #expect(throws: RunMachine.Refusal.gap(next: 5)) { try run.take(.append(lease, first: 6, count: 1)) }
    }
}

/// SplitMix64: the same walks every time.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
