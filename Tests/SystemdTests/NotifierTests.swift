import Synchronization
import Systemd
import Testing

@Suite(.serialized) struct NotifierTests {
    private final class Said: Sendable {
        let messages = Mutex<[String]>([])
        var all: [String] { messages.withLock { $0 } }
        func notifier() -> Notifier {
            Notifier { message in self.messages.withLock { $0.append(message) } }
        }
    }

    @Test func stoppingIsSaidOnceAndReadyNeverAfterIt() {
        let said = Said()
        let notifier = said.notifier()
        #expect(notifier.ready())
        notifier.stop()
        notifier.stop()
        #expect(!notifier.ready())
        #expect(said.all == ["READY=1", "STOPPING=1"])
    }

    @Test func reloadingIsSaidBetweenReadyAndStopping() {
        let said = Said()
        let notifier = said.notifier()
        notifier.reloading()
        notifier.reloaded()
        #expect(said.all.isEmpty)
        notifier.ready()
        notifier.reloading()
        notifier.reloaded()
        notifier.stop()
        notifier.reloading()
        notifier.reloaded()
        let words = said.all.map { $0.prefix { $0 != "\n" } }
        #expect(words == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"])
        let time = said.all[1].split(separator: "=").last.flatMap { Int($0) }
        #expect(time ?? 0 > 0)
    }

    @Test func aStatusCannotAddAnAssignment() {
        let said = Said()
        said.notifier().status("calm\nREADY=1\r\u{0}\u{85}end")
        #expect(said.all == ["STATUS=calm READY=1   end"])
    }

    @Test func aLongStatusIsCutBetweenCharacters() {
        let said = Said()
        said.notifier().status(String(repeating: "é", count: 1000))
        let expected = "STATUS=" + String(repeating: "é", count: Notifier.statusLimit / 2)
        #expect(said.all == [expected])
    }

    @Test(arguments: [
        (Duration.seconds(20), "20000000"), (.milliseconds(1500), "1500000"), (.seconds(-5), "0"),
        (.seconds(Int64.max), "86400000000"),
    ])
    func extraTimeIsSaidInMicrosecondsWithinADay(duration: Duration, expected: String) {
        let said = Said()
        said.notifier().extendTimeout(by: duration)
        #expect(said.all == ["EXTEND_TIMEOUT_USEC=\(expected)"])
    }

    @Test func withoutAManagerNothingHappens() {
        let notifier = Notifier()
        notifier.status("nobody listens")
        notifier.watchdog()
        notifier.stop()
    }
}
