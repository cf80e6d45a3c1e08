import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Agents

/// Waiting for a time that is called off or moved: no test waits for one.
@Suite struct AlarmTests {
    private static let tomorrow = ContinuousClock.now + .seconds(86_400)

    @Test func aTimeThatIsOverIsNotWaitedFor() async throws {
        try await Alarm.sleep(until: .now - .seconds(1))
    }

    @Test func whatIsCancelledStopsWaiting() async throws {
        await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await Alarm.sleep(until: Self.tomorrow) }
            group.cancelAll()
            await #expect(throws: CancellationError.self) { try await group.next() }
        }
    }

    @Test func anAlarmThatIsMovedRingsAtItsNewTimeBeforeAndWhileItIsWaitedFor() async throws {
        let alarm = Alarm(at: Self.tomorrow)
        alarm.move(to: Self.tomorrow + .seconds(1))
        async let rung: Void = alarm.wait()
        alarm.move(to: .now)
        try await rung
        let other = Alarm(at: Self.tomorrow)
        other.move(to: .now)
        try await other.wait()
    }

    @Test func whatIsToBeDoneIsDoneAtItsTimeOrAtTheOneItIsMovedTo() async {
        for isMoved in [false, true] {
            let alarm = Alarm(at: isMoved ? Self.tomorrow : .now + .milliseconds(20))
            await withCheckedContinuation { done in
                alarm.set {
                    alarm.callOff()
                    done.resume()
                }
                if isMoved { alarm.move(to: .now) }
            }
        }
    }

    @Test func whatIsCalledOffIsNotDone() async throws {
        let wasDone = Mutex(false)
        let alarm = Alarm(at: .now + .seconds(1))
        alarm.set { wasDone.withLock { $0 = true } }
        alarm.callOff()
        // The clock looks again at a time after it.
        try await Alarm.sleep(until: .now + .seconds(2))
        #expect(!wasDone.withLock { $0 })
    }

    /// An event loop of somebody else's, on which a timeout begins, may be shut down before its end.
    @Test func alarmsRingWhateverBecomesOfTheLoopThatWasTheFirstToAskForOne() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let due = ContinuousClock.now + .milliseconds(200)
        try await group.next().submit { AlarmClock.shared.look(by: due) }.get()
        try await group.shutdownGracefully()
        try await Alarm.sleep(until: due + .milliseconds(20))
    }
}
