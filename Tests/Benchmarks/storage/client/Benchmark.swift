import ArgumentParser
import Contract
import FoundationEssentials
import Glibc
import NIOCore
import RPC
import Synchronization

/// Calls storage over its socket, and prints one line of JSON with how long that took; `benchmark.py` runs it.
@main struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "octavo-benchmark")

    /// What one call is.
    enum Work: String, ExpressibleByArgument {
        /// `books.get`.
        case get
        /// A new title for a book and a new name for a reader, atomically.
        case rename
        /// As `rename`, and the book goes on the reader's list.
        case keep
    }

    @Argument(help: "Storage's socket for the role gateway.") var socket: String
    @Argument var work: Work
    @Option(help: "Callers at once, on one client and so on one connection.") var callers = 64
    @Option(help: "How long they go on; 0 for one call each.") var seconds = 5.0

    /// Books and readers there are, with ids from 1.
    private static let rows = 10_000

    func run() async throws {
        let (work, callers, duration) = (work, callers, Duration.seconds(seconds))
        let tally = Tally()
        let begin = ContinuousClock.now
        await RPCClient.withConnection(path: socket, role: .gateway, name: "storage") { storage in
            await withDiscardingTaskGroup { group in
                // Where the connection is, as in the gateway.
                let loop = EventLoopExecutor(RPCEventLoop.shared.next())
                for _ in 0..<callers {
                    group.addTask(executorPreference: loop) {
                        await Self.callRepeatedly(work, storage, until: begin + duration, tally)
                    }
                }
            }
        }
        let report = tally.report(over: begin.duration(to: .now))
        print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }

    private static func callRepeatedly(
        _ work: Work,
        _ storage: RPCClient,
        until end: ContinuousClock.Instant,
        _ tally: Tally
    ) async {
        var elapsed: [Duration] = []
        repeat {
            let start = ContinuousClock.now
            do {
                try await call(work, storage)
                elapsed.append(.now - start)
            } catch {
                tally.add(error)
            }
        } while .now < end
        tally.add(elapsed)
    }

    private static func call(_ work: Work, _ storage: RPCClient) async throws {
        let (book, reader, change) = (Int.random(in: 1...rows), Int.random(in: 1...rows), Int.random(in: 1...1_000_000))
        let title = SetBookTitle(book, to: "Book \(book) \(change)")
        let name = SetReaderName(reader, to: "Reader \(reader) \(change)")
        switch work {
        case .get: _ = try await storage.json(GetBook(book: book))
        case .rename: _ = try await storage.batch(title, name)
        case .keep: _ = try await storage.batch(title, name, AddToReadingList(reader: reader, book: book))
        }
    }
}

/// What the callers have seen so far.
private final class Tally: Sendable {
    private let seen = Mutex<(elapsed: [Duration], failures: [String: Int])>(([], [:]))

    func add(_ elapsed: [Duration]) {
        seen.withLock { $0.elapsed += elapsed }
    }

    func add(_ error: any Error) {
        let words = "\(error)"
        seen.withLock { $0.failures[words, default: 0] += 1 }
    }

    func report(over time: Duration) -> Report {
        let (elapsed, failures) = seen.withLock { $0 }
        return Report(elapsed.sorted(), failures: failures, over: time)
    }
}

/// What is printed.
private struct Report: Encodable {
    var calls: Int
    var failures: [String: Int]
    var rate: Double
    var p50: Double
    var p99: Double
    var slowest: Double
    /// The most memory the client had, in MB.
    var peakMB: Double

    init(_ sorted: [Duration], failures: [String: Int], over time: Duration) {
        func milliseconds(_ share: Double) -> Double {
            sorted.isEmpty ? 0 : sorted[Int(Double(sorted.count - 1) * share)] / .milliseconds(1)
        }
        calls = sorted.count
        self.failures = failures
        rate = Double(sorted.count) / (time / .seconds(1))
        p50 = milliseconds(0.5)
        p99 = milliseconds(0.99)
        slowest = milliseconds(1)
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        peakMB = Double(usage.ru_maxrss) / 1024
    }
}
