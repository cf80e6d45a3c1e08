import Contract
import Logging
import RPC
import ServiceLifecycle
import Synchronization
import Testing
import Wire

@testable import AgentRunner

/// A question's trace through the agent runner: what storage is asked for it, over a real socket.
@Suite struct RunTraceTests {
    @Test func everyCallOfARunBelongsToTheTraceOfWhoeverAsked() async throws {
        let traces = Mutex<[String: Set<String>]>([:])
        let path = "/tmp/octavo-traces-\(UInt32.random(in: 0 ... .max)).sock"
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = RPCServer(
            [RPCListener(role: .agentRunner, address: .path(path))],
            operations: Self.storage { call in
                traces.withLock { _ = $0[call.operation, default: []].insert(call.traceparent.traceID) }
            },
            logger: logger
        )
        let storage = RPCClient(path: path, role: .agentRunner, name: "storage", logger: logger)
        let agent = DocumentationAgent(model: nil, storage: storage, logger: logger)
        let runs = Runs(
            agents: ["documentation": agent],
            teller: SlackTeller(logger: logger),
            storage: storage,
            logger: logger
        )
        let group = ServiceGroup(services: [server, storage, runs], logger: logger)
        let trace = TraceParent()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let question = Question(text: "What does VACUUM do with storage?", channel: .http)
            let feed = try runs.accept(
                .new(),
                agent: "documentation",
                question: question,
                origin: .live(RunPolicy()),
                trace: trace
            )
            var seen = 0
            while let events = try await feed.events(from: seen) { seen += events.count }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        let told = traces.withLock { $0 }
        #expect(Set(told.keys) == ["runs.open", "sections.search", "sections.get", "runs.append_events"])
        for (operation, ids) in told { #expect(ids == [trace.traceID], "\(operation)") }
    }

    private static func storage(_ note: @escaping @Sendable (CallContext) -> Void) -> Operations {
        var operations = Operations(service: "storage", version: "test")
        operations.on(OpenRun.self) { _, call in
            note(call)
            return OpenRun.Result(attempt: 1)
        }
        operations.on(AppendEvents.self) { _, call in
            note(call)
            return Done()
        }
        operations.on(SearchSections.self) { _, call in
            note(call)
            let section = Sections.vacuum
            let hit = SearchSections.Hit(
                id: section.id,
                book: section.book,
                headings: section.headings,
                file: section.file,
                anchor: section.anchor,
                excerpt: "",
                words: [],
                score: 10,
                coverage: 1
            )
            return SearchSections.Result(hits: [hit])
        }
        operations.onJSON(GetSections.self) { _, call in
            note(call)
            return try JSON(encoding: ["sections": [Sections.vacuum]])
        }
        return operations
    }
}
