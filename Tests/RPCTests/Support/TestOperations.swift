import Contract
import RPC
import Synchronization
import Wire

/// The four operations of the fixtures' conversations (`protocol/fixtures/README.md`).
struct Echo: Operation, Equatable {
    static let name = "test.echo"
    static let callers: Set<Role> = [.gateway, .admin]
    typealias Result = Echo
    var text: String
}

struct Count: StreamingOperation {
    static let name = "test.count"
    static let callers: Set<Role> = [.gateway]
    typealias Item = Int
    struct Result: Codable, Sendable, Equatable { var counted: Int }
    var to: Int
}

struct Wait: StreamingOperation {
    static let name = "test.wait"
    static let callers: Set<Role> = [.gateway]
    typealias Item = Int
    typealias Result = Done
}

struct AdminOnly: Operation {
    static let name = "test.admin"
    static let callers: Set<Role> = [.admin]
    typealias Result = Done
}

/// Opens a scope, in which numbers are added up.
struct Open: StreamingOperation {
    static let name = "test.open"
    static let callers: Set<Role> = [.gateway]
    typealias Item = Int
    typealias Result = Done
}

/// Adds a number, within `Open`.
struct Put: Operation {
    static let name = "test.put"
    static let callers: Set<Role> = [.gateway]
    struct Result: Codable, Sendable, Equatable { var sum: Int }
    var number: Int
}

/// What `Open` opens.
final class Sum: Sendable {
    private let sum = Mutex(0)
    func add(_ number: Int) -> Int {
        sum.withLock {
            $0 += number
            return $0
        }
    }
}

/// Waits until it is cancelled, without a stream; what the test gives runs meanwhile.
struct Hold: Operation {
    static let name = "test.hold"
    static let callers: Set<Role> = [.gateway]
    typealias Result = Done
    var number: Int?
}

/// Answers a string of so many octets.
struct Large: Operation {
    static let name = "test.large"
    static let callers: Set<Role> = [.gateway]
    typealias Result = String
    var bytes: Int
}

/// Fails as it is told to.
struct Fail: Operation {
    static let name = "test.fail"
    static let callers: Set<Role> = [.gateway]
    typealias Result = Done
    var defect: Bool
}

struct Defect: Error, CustomStringConvertible {
    let description = "a secret of the inside"
}

extension Operations {
    static func test() -> Operations {
        var operations = Operations(service: "test", version: "0")
        operations.on(Echo.self) { echo, _ in echo }
        operations.onStream(Count.self) { count, _, writer in
            for number in 0..<count.to { try await writer.send(number) }
            return Count.Result(counted: count.to)
        }
        operations.onStream(Wait.self) { _, _, _ in
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        operations.onScope(Open.self) { _, call, _ in
            call.scope?.open(Sum())
            try await Task.sleep(for: .seconds(3600))
            return Done()
        }
        operations.on(Put.self) { put, call in
            guard let scope = call.within else {
                throw ServiceError.invalidArgument("test.put is called within test.open.")
            }
            return Put.Result(sum: try await scope.value(as: Sum.self).add(put.number))
        }
        operations.allowWithin(Put.self)
        operations.on(AdminOnly.self) { _, _ in Done() }
        operations.on(Fail.self) { fail, _ in
            if fail.defect { throw Defect() }
            throw ServiceError(.notFound, "No such thing.", details: try JSON(encoding: ["a": 1]))
        }
        operations.onJSON(Large.self) { large, _ in
            JSON(trusted: "\"" + String(repeating: "x", count: large.bytes - 2) + "\"")
        }
        return operations
    }
}

/// How many are inside at once, and how many there were at most.
final class Gauge: Sendable {
    private let state = Mutex((inside: 0, most: 0, total: 0))
    var most: Int { state.withLock(\.most) }
    var total: Int { state.withLock(\.total) }
    var inside: Int { state.withLock(\.inside) }

    func enter() {
        state.withLock {
            $0.inside += 1
            $0.total += 1
            $0.most = max($0.most, $0.inside)
        }
    }

    func leave() {
        state.withLock { $0.inside -= 1 }
    }
}

/// A gate that many wait at, and one opens. Waiting ends with the task's cancelling, too.
final class Gate: Sendable {
    private let state = Mutex((isOpen: false, waiting: [AsyncStream<Void>.Continuation]()))

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            return state.waiting
        }
        for one in waiting { one.finish() }
    }

    /// - Throws: `CancellationError`.
    func pass() async throws {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        state.withLock { state in
            if state.isOpen { continuation.finish() } else { state.waiting.append(continuation) }
        }
        for await _ in stream {}
        try Task.checkCancellation()
    }
}
