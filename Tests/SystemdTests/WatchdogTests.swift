import ServiceLifecycle
import Synchronization
import Systemd
import Testing

@Suite(.timeLimit(.minutes(10))) struct WatchdogTests {
    private struct Stuck: Error {}

    @Test func everyPingIsPaidForByAProbe() async {
        let probes = Atomic<Int>(0)
        let (pings, continuation) = AsyncStream<String>.makeStream()
        let notifier = Notifier { continuation.yield($0) }
        let watchdog = Watchdog(timeout: .milliseconds(2), notifier: notifier) {
            probes.add(1, ordering: .relaxed)
        }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await watchdog.run() }
            var seen = 0
            for await ping in pings {
                #expect(ping == "WATCHDOG=1")
                seen += 1
                #expect(probes.load(ordering: .relaxed) >= seen)
                if seen == 5 { break }
            }
            tasks.cancelAll()
        }
    }

    @Test func aProbeThatThrowsEarnsNoPing() async {
        let (probed, continuation) = AsyncStream<Void>.makeStream()
        let pings = Atomic<Int>(0)
        let notifier = Notifier { _ in pings.add(1, ordering: .relaxed) }
        let watchdog = Watchdog(timeout: .milliseconds(2), notifier: notifier) {
            continuation.yield()
            throw Stuck()
        }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await watchdog.run() }
            var seen = 0
            for await _ in probed {
                seen += 1
                if seen == 5 { break }
            }
            tasks.cancelAll()
        }
        #expect(pings.load(ordering: .relaxed) == 0)
    }

    @Test func aProbeThatHangsEarnsNoPingAndDoesNotHoldTheShutdown() async {
        let (probed, continuation) = AsyncStream<Void>.makeStream()
        let pings = Atomic<Int>(0)
        let notifier = Notifier { _ in pings.add(1, ordering: .relaxed) }
        let watchdog = Watchdog(timeout: .milliseconds(2), notifier: notifier) {
            continuation.yield()
            try await Task.sleep(for: .seconds(3600))
        }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await watchdog.run() }
            for await _ in probed { break }
            tasks.cancelAll()
        }
        #expect(pings.load(ordering: .relaxed) == 0)
    }
}
