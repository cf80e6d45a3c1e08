import Agents
import Glibc
import Testing

@testable import AgentRunner

/// Which addresses and which hosts a page may be fetched from.
@Suite struct PageAddressTests {
    @Test(
        arguments: [
            [0, 0, 0, 0], [10, 0, 0, 1], [100, 64, 0, 1], [127, 0, 0, 1], [127, 8, 9, 1], [169, 254, 169, 254],
            [172, 16, 0, 1], [172, 31, 255, 255], [192, 168, 1, 1], [192, 0, 0, 1], [192, 0, 2, 1], [192, 88, 99, 1],
            [198, 18, 0, 1], [198, 51, 100, 1], [203, 0, 113, 1], [224, 0, 0, 1], [240, 0, 0, 1], [255, 255, 255, 255],
            [1, 2, 3],
        ] as [[UInt8]]
    )
    func addressesOfThisSideOfTheInternetAreNone(_ bytes: [UInt8]) {
        #expect(PublicAddress(bytes) == nil)
    }

    @Test(arguments: [
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:db8::1",
        "2001:1::1", "2002:7f00:1::", "3fff::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "5f00::1",
    ])
    func neitherAreThoseOfIPv6ThatAreOrHoldSuchOnes(_ text: String) throws {
        #expect(PublicAddress(try bytes(text)) == nil)
    }

    @Test func addressesOfTheInternetAreTaken() throws {
        #expect(PublicAddress([93, 184, 216, 34])?.description == "93.184.216.34")
        #expect(PublicAddress([172, 32, 0, 1]) != nil && PublicAddress([100, 128, 0, 1]) != nil)
        #expect(PublicAddress(try bytes("2606:2800:220::1"))?.description == "2606:2800:220:0:0:0:0:1")
    }

    private func bytes(_ text: String) throws -> [UInt8] {
        var address = in6_addr()
        try #require(inet_pton(AF_INET6, text, &address) == 1)
        return withUnsafeBytes(of: address) { Array($0) }
    }

    private let hosts = ["docs.example.com", "*.example.org"]

    @Test func anAddressOfAnAllowedHostIsTakenAsItIsAskedFor() throws {
        #expect(try PageAddress("https://docs.example.com", hosts: hosts).url == "https://docs.example.com/")
        let page = try PageAddress("HTTPS://A.Example.ORG:443/a%20b?q=1#part", hosts: hosts)
        #expect(page.url == "https://a.example.org/a%20b?q=1" && page.host == "a.example.org")
    }

    @Test(arguments: [
        "http://docs.example.com/", "ftp://docs.example.com/", "file:///etc/passwd", "gopher://docs.example.com/",
        "//docs.example.com/", "docs.example.com", "", "https://", "https:///x", "https://docs.example.com:8443/",
        "https://user@docs.example.com/", "https://docs.example.com@evil.test/", "https://evil.test/",
        "https://docs.example.com.evil.test/", "https://evildocs.example.com/", "https://example.org/",
        "https://.example.org/",
        "https://127.0.0.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://docs.example.com\\@evil.test/", "https://docs.example.com%2eevil.test/", "https://docs.example.com /",
        "https://docs。example.com/", "javascript:alert(1)", "data:text/html,x", "https://docs.example.com/\r\nX: y",
    ])
    func everythingElseIsRefused(_ text: String) {
        #expect(throws: ToolError.self) { try PageAddress(text, hosts: hosts) }
    }

    /// A name that points to this machine, or partly does.
    struct Resolver: NameResolver {
        let found: [[UInt8]]
        func addresses(of host: String) async throws -> [[UInt8]] { found }
    }

    @Test(
        arguments: [[[127, 0, 0, 1]], [[93, 184, 216, 34], [10, 0, 0, 1]], [[169, 254, 169, 254]]] as [[[UInt8]]]
    )
    func aNameThatPointsInsideIsNotFetched(_ found: [[UInt8]]) async {
        let fetcher = PageFetcher(hosts: hosts, resolver: Resolver(found: found))
        await #expect(throws: ToolError("docs.example.com is not a host of the internet.")) {
            try await fetcher.text(of: "https://docs.example.com/")
        }
    }

    @Test func theNameOfThisMachineIsNotFetched() async {
        let fetcher = PageFetcher(hosts: ["localhost.localdomain", "localhost"])
        await #expect(throws: ToolError.self) { try await fetcher.text(of: "https://localhost/") }
    }

    @Test func aPageIsItsText() throws {
        let page =
            "<html><head><title>T</title><script>x()</script></head><body><h1>One</h1><p>Two &amp; three.</p></body></html>"
        let text = try PageFetcher.text(of: Array(page.utf8), kind: "text/html", "h")
        #expect(text.contains("Two & three.") && !text.contains("x()"))
        #expect(try PageFetcher.text(of: Array("plain".utf8), kind: "text/plain", "h") == "plain")
        #expect(throws: ToolError.self) { try PageFetcher.text(of: [1], kind: "application/pdf", "h") }
        let long = String(repeating: "a", count: 50_000)
        #expect(try PageFetcher.text(of: Array(long.utf8), kind: "text/plain", "h").hasSuffix("[The page goes on.]"))
    }
}
