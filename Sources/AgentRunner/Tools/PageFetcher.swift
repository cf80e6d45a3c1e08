import Agents
import AsyncHTTPClient
import Documents
import NIOCore
import NIOHTTP1

/// Fetches pages of allowed hosts, as text.
///
/// The host's name is looked up once, every address it has must be one of the internet, and the connection goes to an
/// address that was checked: a name that changes its mind between the two gains nothing. A redirect is a new address and
/// is checked like the first.
struct PageFetcher: Sendable {
    /// Redirects of one page.
    private static let mostRedirects = 3
    /// Bytes of one page: the text of a hundred pages of print.
    private static let mostBytes = 2 << 20
    /// Characters of its text that a model is given.
    private static let mostCharacters = 40_000
    private static let timeout = TimeAmount.seconds(15)

    let hosts: [String]
    var resolver: any NameResolver = SystemResolver()

    /// The text of a page. Throws `ToolError` with a sentence for the model.
    func text(of address: String) async throws -> String {
        var page = try PageAddress(address, hosts: hosts)
        for _ in 0...Self.mostRedirects {
            switch try await fetch(page) {
            case .text(let text): return text
            case .elsewhere(let place): page = try PageAddress(place, hosts: hosts)
            }
        }
        throw ToolError("The page was moved more than \(Self.mostRedirects) times.")
    }

    private enum Fetched {
        case text(String)
        case elsewhere(String)
    }

    private func fetch(_ page: PageAddress) async throws -> Fetched {
        let addresses = try await resolver.addresses(of: page.host)
        let checked = addresses.compactMap(PublicAddress.init)
        guard checked.count == addresses.count, let address = checked.first else {
            throw ToolError("\(page.host) is not a host of the internet.")
        }
        var configuration = HTTPClient.Configuration.agents()
        configuration.dnsOverride = [page.host: address.description]
        configuration.httpVersion = .http1Only
        // A client of its own for each page: what it is to connect to is part of its configuration.
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let fetched = try await get(page, with: client)
            try await client.shutdown()
            return fetched
        } catch {
            try? await client.shutdown()
            try Task.checkCancellation()
            switch error {
            case let error as ToolError: throw error
            case is NIOTooManyBytesError: throw ToolError("The page has more than \(Self.mostBytes) bytes.")
            // Which of the two is known to TLS alone.
            default: throw ToolError("\(page.host) did not answer, or not with a certificate that is valid for it.")
            }
        }
    }

    private func get(_ page: PageAddress, with client: HTTPClient) async throws -> Fetched {
        var request = HTTPClientRequest(url: page.url)
        request.headers = ["accept": "text/html, text/markdown, text/plain", "user-agent": "octavo"]
        let response = try await client.execute(request, timeout: Self.timeout)
        if (300..<400).contains(response.status.code), let place = response.headers.first(name: "location") {
            return .elsewhere(place.hasPrefix("/") && !place.hasPrefix("//") ? "https://\(page.host)\(place)" : place)
        }
        guard response.status == .ok else {
            throw ToolError("\(page.host) answered with HTTP \(response.status.code).")
        }
        let kind = response.headers.first(name: "content-type").map(Self.kind) ?? "text/plain"
        var body = try await response.body.collect(upTo: Self.mostBytes)
        return .text(try Self.text(of: body.readBytes(length: body.readableBytes) ?? [], kind: kind, page.host))
    }

    private static func kind(_ contentType: String) -> String {
        contentType.prefix { $0 != ";" }.lowercased().split(separator: " ").joined()
    }

    /// What a person would read on the page.
    static func text(of bytes: [UInt8], kind: String, _ host: String) throws(ToolError) -> String {
        let format: DocumentFormat
        switch kind {
        case "text/html", "application/xhtml+xml": format = .html
        case "text/markdown": format = .markdown
        case "text/plain":
            return shortened(String(decoding: bytes, as: UTF8.self))
        default: throw ToolError("The page is \(kind), which cannot be read; only HTML, Markdown and plain text can.")
        }
        do {
            let document = try Document(bytes, format: format, name: host)
            let sections = document.sections.map {
                (($0.headings.last.map { [$0] } ?? []) + [$0.text]).joined(separator: "\n")
            }
            return shortened(([document.title] + sections).joined(separator: "\n\n"))
        } catch {
            throw ToolError("The page cannot be read: \(error)")
        }
    }

    private static func shortened(_ text: String) -> String {
        let scalars = text.unicodeScalars
        return scalars.count <= mostCharacters ? text : String(scalars.prefix(mostCharacters)) + "\n[The page goes on.]"
    }
}
