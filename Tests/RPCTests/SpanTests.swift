import Contract
import RPC
import Synchronization
import Testing
import Tracing
import Wire

@testable import Traces

/// The spans of calls, on both sides of a real socket.
@Suite struct SpanTests {
    private let recorder = SpanRecorder()

    /// Both sides in one recorder; what they keep.
    private func spans(
        _ operations: Operations = .test(),
        from role: Role = .gateway,
        _ body: @Sendable (RPCClient) async throws -> Void
    ) async throws -> [FinishedSpan] {
        try await withServer(operations, recorder: recorder) { server in
            let path = role == .admin ? server.admin : server.gateway
            let client = RPCClient(path: path, role: role, name: "test", logger: quiet, recorder: recorder)
            try await running(client) { try await body($0) }
        }
        return recorder.queue.take()
    }

    @Test func aCallIsASpanOnEachSideAndTheirHandlersWithin() async throws {
        var operations = Operations(service: "test", version: "0")
        let seen = Mutex<(current: TraceParent?, own: TraceParent?)>((nil, nil))
        operations.on(Echo.self) { echo, call in
            seen.withLock { $0 = (TraceParent.current, call.traceparent) }
            return echo
        }
        let caller = TraceParent(isSampled: true)
        let spans = try await spans(operations) { client in
            _ = try await client.perform(Echo(text: "secret"), traceparent: caller)
        }
        #expect(spans.map(\.kind) == [.server, .client] && spans.allSatisfy { $0.name == "test.echo" })
        #expect(spans[1].parent == caller && spans[0].parent == spans[1].own)
        #expect(spans[1].start <= spans[0].start && spans[0].end <= spans[1].end)
        let (current, own) = seen.withLock { $0 }
        #expect(current == spans[0].own && own == spans[0].own)
        #expect(spans[0].attributes.get("rpc.method") == "test.echo")
    }

    @Test func theSpanTheTaskIsWithinGoesBeforeWhatTheCallerNames() async throws {
        let (inner, named) = (TraceParent(isSampled: true), TraceParent(isSampled: true))
        let spans = try await spans { client in
            try await ServiceContext.withValue(.within(inner)) {
                _ = try await client.perform(Echo(text: ""), traceparent: named)
            }
        }
        #expect(spans.count == 2 && spans[1].parent == inner)
    }

    @Test func aStreamIsASpanUntilItsEndIsRead() async throws {
        let caller = TraceParent(isSampled: true)
        let spans = try await spans { client in
            for try await _ in client.stream(Count(to: 300), traceparent: caller).items {}
        }
        #expect(spans.map(\.kind) == [.server, .client] && spans[0].parent == spans[1].own)
        #expect(spans[0].end <= spans[1].end)
    }

    @Test func aFailureIsToldByItsCode() async throws {
        let caller = TraceParent(isSampled: true)
        var operations = Operations(service: "test", version: "0")
        operations.on(Echo.self) { _, _ in throw ServiceError.notFound("There is no secret.") }
        let spans = try await spans(operations) { client in
            _ = try? await client.perform(Echo(text: ""), traceparent: caller)
        }
        #expect(spans.allSatisfy { $0.attributes.get("rpc.response.status_code") == "not_found" })
        // It is the caller's mistake.
        #expect(spans.map { $0.status?.code } == [nil, .error])
    }

    @Test func whatACallerDoesNotKeepNobodyKeeps() async throws {
        let caller = TraceParent()
        let seen = Mutex<TraceParent?>(nil)
        var operations = Operations(service: "test", version: "0")
        operations.on(Echo.self) { echo, call in
            seen.withLock { $0 = call.traceparent }
            return echo
        }
        let spans = try await spans(operations) { client in
            try await ServiceContext.withValue(.within(caller)) { _ = try await client.perform(Echo(text: "")) }
        }
        #expect(spans.isEmpty && seen.withLock { $0 } == caller)
    }

    @Test func aTraceBeginsWithACallThatBelongsToNone() async throws {
        let spans = try await spans { client in _ = try await client.perform(Echo(text: "")) }
        #expect(spans.map(\.kind) == [.server] && spans[0].parent == nil)
    }
}
