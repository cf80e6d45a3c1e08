import FoundationEssentials
import Testing

@testable import AgentRunner

/// Where a webhook may lead.
@Suite struct NetworkAddressTests {
    @Test(arguments: [
        "127.0.0.1", "127.255.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255", "::", "::1",
        "::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "fe80::1", "fc00::1",
        "fd12:3456::1", "ff02::1", "fec0::1", "2001:db8::1", "2001::1", "100::1", "::127.0.0.1",
    ])
    func whatIsNotOfThePublicInternetIsInternal(text: String) throws {
        #expect(try #require(NetworkAddress(text[...])).isInternal)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.167.1.1",
        "223.255.255.255",
        "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::808:808",
    ])
    func thePublicInternetIsNot(text: String) throws {
        #expect(try !#require(NetworkAddress(text[...])).isInternal)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "0x7f.0.0.1", "1.2.3.4 ", ":", ":::", "1::2::3", "12345::",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1%eth0", "::1.2.3", "1.2.3.4::", "+1::",
    ])
    func whatIsNoAddressIsNone(text: String) {
        #expect(NetworkAddress(text[...]) == nil)
    }

    @Test func aNetworkHasTheAddressesThatBeginWithItsBits() throws {
        let network = try #require(Network("10.1.16.0/20"))
        let there = try ["10.1.16.0", "10.1.31.255"].map { try #require(NetworkAddress($0[...])) }
        let elsewhere = try ["10.1.32.0", "10.1.15.255", "::"].map { try #require(NetworkAddress($0[...])) }
        #expect(there.allSatisfy(network.contains) && !elsewhere.contains(where: network.contains))
        #expect(try #require(Network("::1")).contains(#require(NetworkAddress("::1"))))
        for wrong in ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/", "x"] { #expect(Network(wrong) == nil) }
    }

    @Test(arguments: [
        ("http://127.0.0.1/", "inside the house"), ("https://localhost/", "inside the house"),
        ("https://2130706433/", "inside the house"), ("https://0177.0.0.1/", "inside the house"),
        ("https://0x7f000001/", "inside the house"), ("https://[::ffff:127.0.0.1]/", "inside the house"),
        ("https://169.254.169.254/latest/meta-data", "inside the house"), ("https://[fe80::1]/", "inside the house"),
        ("http://8.8.8.8/", "https:// on port 443"), ("https://8.8.8.8:8443/", "https:// on port 443"),
        ("https://user@8.8.8.8/", "small letters"), ("https://LOCALHOST/", "small letters"),
        ("https://127.0.0.1%2f.example.com/", "small letters"), ("https://nowhere.invalid/", "leads nowhere"),
    ])
    func whereItMayNotLeadIsSaid(text: String, sentence: String) async throws {
        let destinations = try Destinations(networks: "10.9.0.0/16")
        let url = try #require(URL(string: text))
        let refusal = await #expect(throws: Destinations.Refusal.self) { try await destinations.place(of: url) }
        #expect(refusal?.description.contains(sentence) == true, "\(refusal?.description ?? "")")
    }

    @Test func aNetworkThatWasNamedIsAllowedByHTTPToo() async throws {
        let destinations = try Destinations(networks: "10.0.0.0/8, 127.0.0.1")
        let place = try await destinations.place(of: #require(URL(string: "http://127.0.0.1:8080/hook")))
        #expect(place == Destinations.Place(host: "127.0.0.1", address: "127.0.0.1"))
        #expect(throws: Destinations.Refusal.self) { try Destinations(networks: "localhost") }
    }
}
