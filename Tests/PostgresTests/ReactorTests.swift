import Dispatch
import Synchronization
import Testing

@testable import Postgres

@Suite struct ReactorTests {
    @Test func aReactorThatIsStuckDoesNotRespond() async {
        let reactor = Reactor()
        await reactor.respond()
        let (stuck, isStuck) = AsyncStream<Void>.makeStream()
        let release = DispatchSemaphore(value: 0)
        let isReleased = Atomic(false)
        reactor.submit {
            isStuck.finish()
            release.wait()
        }
        for await _ in stuck {}
        async let response: Bool = {
            await reactor.respond()
            return isReleased.load(ordering: .acquiring)
        }()
        for _ in 0..<100 { await Task.yield() }
        isReleased.store(true, ordering: .releasing)
        release.signal()
        // Whenever it came, it came after the release.
        #expect(await response)
    }
}
