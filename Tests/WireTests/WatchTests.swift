import NIOCore
import Testing
import Wire

@Suite(.serialized) struct WatchTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test func aMissingHelloIsAViolation() {
        var watch = Watch(limits: .standard, now: at(0), awaitsHello: true)
        #expect(watch.next == at(5))
        #expect(watch.check(now: at(4)) == .nothing)
        guard case .violation(let violation) = watch.check(now: at(5)) else {
            Issue.record("no violation")
            return
        }
        #expect(violation.reason == .helloLate)
        watch.greeted()
        #expect(watch.check(now: at(6)) == .nothing)
    }

    @Test func aSlowSenderCannotMoveItsTime() {
        var watch = Watch(limits: .standard, now: at(0), awaitsHello: false)
        for second in 1...10 { watch.insideFrame(now: at(Int64(second))) }
        #expect(watch.next == at(11))
        guard case .violation(let violation) = watch.check(now: at(11)) else {
            Issue.record("no violation")
            return
        }
        #expect(violation.reason == .frameTooSlow)
        watch.heardFrame(now: at(11))
        #expect(watch.check(now: at(12)) == .nothing)
    }

    @Test func aQuietPeerIsAskedOnceAndThenCut() {
        var watch = Watch(limits: .standard, now: at(0), awaitsHello: false)
        #expect(watch.next == at(20))
        #expect(watch.check(now: at(20)) == .ping)
        #expect(watch.check(now: at(20)) == .nothing)
        #expect(watch.next == at(60))
        watch.heardFrame(now: at(30))
        #expect(watch.next == at(50))
        #expect(watch.check(now: at(50)) == .ping)
        #expect(watch.check(now: at(90)) == .cut(reason: "the peer is silent"))
    }

    @Test func aSlowReaderIsCutUnlessItMakesProgress() {
        var watch = Watch(limits: .standard, now: at(0), awaitsHello: false)
        watch.stalled(now: at(1), progress: true)
        watch.stalled(now: at(9), progress: false)
        #expect(watch.next == at(11))
        watch.stalled(now: at(10), progress: true)
        #expect(watch.next == at(20))
        #expect(watch.check(now: at(20)) == .cut(reason: "the peer does not read"))
        watch.flowing()
        #expect(watch.check(now: at(20)) == .nothing)
    }
}
