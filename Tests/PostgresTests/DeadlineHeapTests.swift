import Testing

@testable import Postgres

@Suite(.serialized) struct DeadlineHeapTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    private func drain(_ heap: inout DeadlineHeap<Int>) -> [Int] {
        var keys: [Int] = []
        while let key = heap.popExpired(at: at(1_000_000)) { keys.append(key) }
        return keys
    }

    @Test func keysComeOutByDeadline() {
        var heap = DeadlineHeap<Int>()
        let deadlines = (0..<200).shuffled()
        for deadline in deadlines { heap.set(deadline, at(deadline)) }
        #expect(heap.earliest == at(0))
        #expect(drain(&heap) == Array(0..<200))
        #expect(heap.count == 0)
    }

    @Test func aKeyHasOneDeadlineWhichCanMoveBothWays() {
        var heap = DeadlineHeap<Int>()
        for key in 0..<10 { heap.set(key, at(key)) }
        heap.set(0, at(100))
        heap.set(9, at(-1))
        #expect(heap.count == 10)
        #expect(drain(&heap) == [9, 1, 2, 3, 4, 5, 6, 7, 8, 0])
    }

    @Test func removedKeysAreGoneAndTheOthersStayInOrder() {
        var heap = DeadlineHeap<Int>()
        for key in (0..<100).shuffled() { heap.set(key, at(key)) }
        for key in (0..<100).shuffled() where key % 3 == 0 { heap.remove(key) }
        heap.remove(12345)
        #expect(drain(&heap) == (0..<100).filter { $0 % 3 != 0 })
    }

    @Test func nothingExpiresBeforeItsTime() {
        var heap = DeadlineHeap<Int>()
        #expect(heap.popExpired(at: at(0)) == nil)
        heap.set(1, at(5))
        #expect(heap.popExpired(at: at(4)) == nil)
        #expect(heap.popExpired(at: at(5)) == 1)
    }
}
