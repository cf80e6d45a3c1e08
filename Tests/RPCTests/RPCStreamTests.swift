import Contract
import RPC
import Synchronization
import Testing
import Wire

@Suite(.serialized) struct RPCStreamTests {
    @Test func itemsArriveInOrderAndThenTheResult() async throws {
        try await withServer { server in
            try await running(server.client()) { client in
                let stream = client.stream(Count(to: 1000))
                var items: [Int] = []
                for try await item in stream.items { items.append(item) }
                #expect(items == Array(0..<1000))
                let answer1 = try await stream.result
                #expect(answer1 == Count.Result(counted: 1000))
                let none = client.stream(Count(to: 0))
                for try await _ in none.json { Issue.record("an item of none") }
                let answer2 = try await none.resultJSON.description
                #expect(answer2 == #"{"counted":0}"#)
            }
        }
    }

    @Test func theResultAloneMayBeAskedFor() async throws {
        try await withServer { server in
            try await running(server.client()) { client in
                let answer3 = try await client.stream(Count(to: 300), credit: 1).result.counted
                #expect(answer3 == 300)
            }
        }
    }

    @Test func theServiceIsNeverFurtherAheadThanTheCredit() async throws {
        let sent = Gauge()
        var operations = Operations(service: "test", version: "0")
        operations.onStream(Count.self) { count, _, writer in
            for number in 0..<count.to {
                try await writer.send(number)
                sent.enter()
            }
            return Count.Result(counted: count.to)
        }
        try await withServer(operations) { server in
            try await running(server.client()) { client in
                var read = 0
                for try await _ in client.stream(Count(to: 500), credit: 8).items {
                    read += 1
                    #expect(sent.total <= read + 8)
                }
                #expect(read == 500)
            }
        }
    }

    @Test func manyStreamsRunAtOnce() async throws {
        try await withServer { server in
            try await running(server.client()) { client in
                let sums = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<100 {
                        group.addTask {
                            var sum = 0
                            for try await item in client.stream(Count(to: 100), credit: 4).items { sum += item }
                            return sum
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(sums == Array(repeating: 4950, count: 100))
            }
        }
    }

    @Test func leavingTheLoopCancelsTheCall() async throws {
        let ended = Gate()
        try await withServer(counting(ended)) { server in
            try await running(server.client()) { client in
                let stream = client.stream(Count(to: .max))
                for try await item in stream.items where item == 5 { break }
                try await ended.pass()
                #expect(await failure { try await stream.result } == .cancelled())
            }
        }
    }

    @Test func lettingGoOfAnUnreadStreamCancelsTheCall() async throws {
        let (started, ended) = (Gate(), Gate())
        try await withServer(counting(ended, started)) { server in
            try await running(server.client()) { client in
                var stream: RPCStream<Count>? = client.stream(Count(to: .max))
                try await started.pass()
                #expect(stream != nil)
                stream = nil
                try await ended.pass()
            }
        }
    }

    @Test func cancellingTheReadersTaskCancelsTheCall() async throws {
        let (ended, reading) = (Gate(), Gate())
        try await withServer(counting(ended)) { server in
            try await running(server.client()) { client in
                let reader = Task {
                    await failure {
                        for try await _ in client.stream(Count(to: .max)).items { reading.open() }
                    }
                }
                try await reading.pass()
                reader.cancel()
                #expect(await reader.value == .cancelled())
                try await ended.pass()
            }
        }
    }

    @Test func anErrorEndsAStreamAfterItsItems() async throws {
        var operations = Operations(service: "test", version: "0")
        operations.onStream(Count.self) { count, _, writer in
            for number in 0..<count.to { try await writer.send(number) }
            throw ServiceError.aborted("enough")
        }
        try await withServer(operations) { server in
            try await running(server.client()) { client in
                var items: [Int] = []
                let error = await failure {
                    for try await item in client.stream(Count(to: 50)).items { items.append(item) }
                }
                #expect(error == .aborted("enough"))
                #expect(items == Array(0..<50))
            }
        }
    }

    @Test func anItemLargerThanAFrameIsTheHandlersError() async throws {
        var operations = Operations(service: "test", version: "0")
        operations.onStream(Wait.self) { _, _, writer in
            try await writer.send(json: JSON(trusted: "\"" + String(repeating: "x", count: 1_048_576) + "\""))
            return Done()
        }
        try await withServer(operations) { server in
            try await running(server.client()) { client in
                let error = await failure { try await client.stream(Wait()).result }
                #expect(error?.code == .resourceExhausted && error?.retry == .no)
            }
        }
    }

    private func counting(_ ended: Gate, _ started: Gate = Gate()) -> Operations {
        var operations = Operations(service: "test", version: "0")
        operations.onStream(Count.self) { count, _, writer in
            started.open()
            defer { ended.open() }
            for number in 0..<count.to { try await writer.send(number) }
            return Count.Result(counted: count.to)
        }
        return operations
    }
}
