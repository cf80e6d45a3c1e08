import Contract
import Daemon
import NIOCore
import Testing

@testable import Gateway

/// What the gateway remembers of keys, without a clock of its own.
@Suite struct KeyStandingTests {
    private let start = ContinuousClock.now
    private func key(_ id: Int) -> APIKey { APIKey(id: id, APIKey.Secret()) }

    @Test func aKeyCountsForFiveSecondsAndIsCheckedAgainByOneBefore() {
        var known = KnownKeys()
        let key = key(7)
        #expect(known.standing(of: key, now: start) == .unknown)
        known.inForce(key, asked: start)
        #expect(known.standing(of: key, now: start + .seconds(2)) == .inForce)
        #expect(known.standing(of: key, now: start + .seconds(3)) == .toCheck)
        #expect(known.standing(of: key, now: start + .seconds(3)) == .inForce)
        known.notChecked(key)
        #expect(known.standing(of: key, now: start + .seconds(4)) == .toCheck)
        #expect(known.standing(of: key, now: start + .seconds(5)) == .old)
        #expect(known.standing(of: key, now: start + .seconds(50_000)) == .old)
        known.inForce(key, asked: start + .seconds(4))
        #expect(known.standing(of: key, now: start + .seconds(6)) == .inForce)
        known.refused(key)
        #expect(known.standing(of: key, now: start + .seconds(6)) == .unknown)
    }

    @Test func aWrongSecretSaysNothingAboutTheKeyOfThatNumber() {
        var known = KnownKeys()
        let (right, wrong) = (key(7), key(7))
        known.inForce(right, asked: start)
        #expect(known.standing(of: wrong, now: start) == .unknown)
        known.refused(wrong)
        #expect(known.standing(of: right, now: start) == .inForce)
    }

    @Test func noMoreKeysAreRememberedThanMayBeInForce() {
        var known = KnownKeys()
        let first = key(1)
        known.inForce(first, asked: start)
        for id in 2...(KnownKeys.most + 1) { known.inForce(key(id), asked: start + .milliseconds(id)) }
        #expect(known.count == KnownKeys.most)
        #expect(known.standing(of: first, now: start) == .unknown)
    }

    @Test func aPlaceIsHeldForAMinuteAndOthersAreNot() {
        var wrong = WrongKeys()
        for _ in 0..<WrongKeys.most {
            #expect(wrong.wait(for: place([10, 0, 0, 1]), now: start) == nil)
            wrong.add(place([10, 0, 0, 1]), now: start)
        }
        #expect(wrong.wait(for: place([10, 0, 0, 1]), now: start + .seconds(20)) == .seconds(40))
        #expect(wrong.wait(for: place([10, 0, 0, 2]), now: start) == nil)
        #expect(wrong.wait(for: place([10, 0, 0, 1]), now: start + .seconds(60)) == nil)
        wrong.add(place([10, 0, 0, 1]), now: start + .seconds(60))
        #expect(wrong.wait(for: place([10, 0, 0, 1]), now: start + .seconds(61)) == nil)
    }

    private func place(_ octets: [UInt8]) -> WrongKeys.Place { WrongKeys.Place(octets: octets) }

    @Test func aProxyIsManyPeople() throws {
        var wrong = WrongKeys()
        let proxies = [
            try SocketAddress(ipAddress: "127.0.0.1", port: 1), try SocketAddress(unixDomainSocketPath: "/x"),
        ]
        for proxy in proxies {
            for _ in 0..<WrongKeys.mostOfThisMachine {
                #expect(wrong.wait(for: proxy.place, now: start) == nil)
                wrong.add(proxy.place, now: start)
            }
            #expect(wrong.wait(for: proxy.place, now: start) != nil)
        }
    }

    @Test func aMillionPlacesCostNoMoreThanTheLastThousand() {
        var wrong = WrongKeys()
        for number in 0..<5_000 {
            wrong.add(place([10, 0, UInt8(number >> 8), UInt8(number & 255)]), now: start + .microseconds(number))
        }
        #expect(wrong.count == WrongKeys.places)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.8.9.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.1", false),
        ("0.0.0.0", false), ("::", false), ("::ffff:10.0.0.1", false), ("fe80::1", false), ("1::1", false),
        ("128.0.0.1", false), ("::2", false), ("::127.0.0.1", false),
    ])
    func loopbackIsWhatNoOtherMachineCanSendTo(address: String, isLoopback: Bool) throws {
        #expect(try SocketAddress(ipAddress: address, port: 80).isLoopback == isLoopback)
    }

    @Test func aRuleThatThereIsNotIsRefused() throws {
        #expect(try Entrance.Rule(setting: nil) == .beyondLoopback)
        #expect(try Entrance.Rule(setting: "always") == .always)
        #expect(throws: ConfigurationError.self) { try Entrance.Rule(setting: "never") }
    }

    @Test func aHostOfIPv6IsOnePlaceWhateverAddressItTakes() throws {
        let (one, other) = (
            try SocketAddress(ipAddress: "2001:db8::1", port: 1), try SocketAddress(ipAddress: "2001:db8::2", port: 2)
        )
        #expect(one.place == other.place)
        #expect(try SocketAddress(ipAddress: "::ffff:10.0.0.1", port: 1).place == place([10, 0, 0, 1]))
        #expect("\(one.place)" == "2001:db8:0:0::/64" && "\(place([10, 0, 0, 1]))" == "10.0.0.1")
    }
}
