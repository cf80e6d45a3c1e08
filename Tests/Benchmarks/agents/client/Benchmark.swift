import ArgumentParser
import Contract
import FoundationEssentials
import RPC
import Synchronization

/// Asks over the agent runner's socket at a steady rate, and prints one line of JSON with how much longer each run took than the
/// provider was silent; `benchmark.py` runs it.
@main struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "octavo-agents-benchmark")

    @Argument(help: "The agent runner's socket for the role gateway.") var socket: String
    @Option(help: "How many questions.") var runs = 10_000
    @Option(help: "How many of them in a second.") var rate = 500
    @Option(help: "Seconds the provider takes.") var hold = 30.0

    /// Each takes 256 calls; a socket takes 64 connections, of which the gateway has some.
    private static let connections = 48

    func run() async throws {
        let tally = Tally()
        try await Self.withClients(Self.connections, socket: socket) { clients in
            let (runs, rate, hold) = (runs, rate, Duration.seconds(hold))
            let begin = ContinuousClock.now
            await withDiscardingTaskGroup { group in
                for number in 0..<runs {
                    try? await Task.sleep(until: begin + .seconds(1) * number / rate)
                    let client = clients[number % clients.count]
                    group.addTask { await Self.ask(number, client, hold, tally) }
                }
            }
        }
        print(String(decoding: try JSONEncoder().encode(tally.report), as: UTF8.self))
    }

    /// Runs `body` with so many connections.
    private static func withClients(
        _ count: Int,
        _ made: [RPCClient] = [],
        socket: String,
        _ body: ([RPCClient]) async throws -> Void
    ) async throws {
        guard made.count < count else { return try await body(made) }
        try await RPCClient.withConnection(path: socket, role: .gateway, name: "agent runner") { client in
            try await withClients(count, made + [client], socket: socket, body)
        }
    }

    private static func ask(_ number: Int, _ client: RPCClient, _ hold: Duration, _ tally: Tally) async {
        let question = Question(text: "How do I deploy \(number)?", reader: "u\(number)", channel: .http)
        let slack = SlackThread(channel: "C0123ABCD", thread: "1700000000.\(100_000 + number % 900_000)")
        let start = StartRun(run: .new(), agent: "plain", question: question, slack: slack)
        let begin = ContinuousClock.now
        tally.begin()
        do {
            var last: RunEvent?
            for try await event in client.stream(start, deadline: .seconds(600)).items { last = event }
            guard case .finished(let outcome) = last?.body, outcome.state == .succeeded else { throw NotAnswered() }
            tally.end(.now - begin - hold)
        } catch {
            tally.fail("\(error)")
        }
    }

    private struct NotAnswered: Error {}
}

/// What was seen so far.
private final class Tally: Sendable {
    private struct Seen {
        var added: [Duration] = []
        var failures: [String: Int] = [:]
        var inFlight = 0
        var most = 0
    }

    private let seen = Mutex(Seen())

    func begin() {
        seen.withLock { seen in
            seen.inFlight += 1
            seen.most = max(seen.most, seen.inFlight)
        }
    }

    func end(_ added: Duration) {
        seen.withLock { seen in
            seen.inFlight -= 1
            seen.added.append(added)
        }
    }

    func fail(_ words: String) {
        seen.withLock { seen in
            seen.inFlight -= 1
            seen.failures[words, default: 0] += 1
        }
    }

    var report: Report {
        seen.withLock { Report($0.added.sorted(), failures: $0.failures, most: $0.most) }
    }
}

/// What is printed; times in ms.
private struct Report: Encodable {
    var most: Int
    var failures: [String: Int]
    var p50: Double
    var p99: Double
    var slowest: Double

    init(_ sorted: [Duration], failures: [String: Int], most: Int) {
        func milliseconds(_ share: Double) -> Double {
            sorted.isEmpty ? 0 : sorted[Int(Double(sorted.count - 1) * share)] / .milliseconds(1)
        }
        self.most = most
        self.failures = failures
        p50 = milliseconds(0.5)
        p99 = milliseconds(0.99)
        slowest = milliseconds(1)
    }
}
