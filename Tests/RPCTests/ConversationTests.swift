import FoundationEssentials
import Glibc
import NIOCore
import RPC
import Testing
import Wire

/// The dialogues of `protocol/fixtures/conversations`, and its invalid frames, against a real server.
@Suite(.serialized) struct ConversationTests {
    static let folder = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/protocol/fixtures"

    static func names(in part: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []).sorted()
    }

    @Test func thereAreConversations() {
        #expect(Self.names(in: "conversations").count > 10)
        #expect(Self.names(in: "invalid").count > 100)
    }

    @Test(arguments: names(in: "conversations"))
    func aConversationGoesAsWritten(_ name: String) async throws {
        let script = try String(contentsOfFile: "\(Self.folder)/conversations/\(name)", encoding: .utf8)
        try await withServer { server in
            let peer = try await RawPeer.connect(server.gateway)
            for line in script.split(separator: "\n") {
                switch (line.prefix(2), line.dropFirst(2)) {
                case ("> ", "close"): try await peer.closeWriting()
                case ("> ", let payload): try await peer.say(String(payload))
                case ("< ", "close"): #expect(await peer.heard() == nil)
                case ("< ", let payload):
                    let heard = await peer.heard()
                    #expect(heard == String(payload))
                default: #expect(line.hasPrefix("#"), "not a line of a conversation: \(line)")
                }
            }
            peer.close()
        }
    }

    @Test func everyInvalidFrameIsToldItsReasonThenClosedAndCounted() async throws {
        let names = Self.names(in: "invalid")
        try await withServer { server in
            for name in names {
                let reason = String(name.prefix { $0 != "." })
                let octets = try #require(FileManager.default.contents(atPath: "\(Self.folder)/invalid/\(name)"))
                let peer = try await RawPeer.greeted(server.gateway)
                try await peer.write(ByteBuffer(bytes: octets))
                if reason == "frame_cut" { try await peer.closeWriting() }
                let answer = try #require(await peer.heard(), "\(name): closed without a word")
                let error = try #require(JSON(validating: answer).member("error"))
                #expect(error.member("code")?.string == "protocol_error")
                #expect(error.member("message")?.string?.hasPrefix("\(reason): ") == true, "\(name)")
                #expect(await peer.heard() == nil)
                peer.close()
            }
            let gauges = try #require(await server.health().member("gauges"))
            #expect(gauges.member("violations")?.integer == names.count)
            #expect(
                gauges.member("violations.duplicate_key")?.integer == names.count { $0.hasPrefix("duplicate_key.") }
            )
        }
    }

    @Test func aFrameOverTheLimitBeforeHelloIsRefusedByItsLength() async throws {
        try await withServer { server in
            let peer = try await RawPeer.connect(server.gateway)
            try await peer.write(ByteBuffer(string: "4097 "))
            #expect(await peer.heard()?.contains("frame_over_limit") == true)
            #expect(await peer.heard() == nil)
            let admin = try await RawPeer.connect(server.admin)
            let text = String(repeating: "x", count: 100_000)
            try await admin.say(#"{"id":1,"call":"test.echo","arguments":{"text":"\#(text)"}}"#)
            #expect(try await admin.terminal(of: 1) == .result(id: 1, JSON(trusted: #"{"text":"\#(text)"}"#)))
            admin.close()
        }
    }

    @Test func aClientOfFortyLinesInAnotherLanguageReadsTheHealth() async throws {
        let client = Self.folder + "/../../Tests/RPCTests/client.py"
        try await withServer { server in
            _ = try await server.health()
            let pipe = try #require(popen("/usr/bin/python3 \(client) \(server.admin)", "r"))
            var output: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            while case let count = fread(&chunk, 1, chunk.count, pipe), count > 0 { output += chunk[..<count] }
            #expect(pclose(pipe) == 0)
            let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
            #expect(lines.contains("service test"))
            #expect(lines.contains("ready True"))
            #expect(lines.contains("pong 7"))
        }
    }
}
