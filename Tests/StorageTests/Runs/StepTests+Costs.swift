import Contract
import OctavoTesting
import RPC
import Testing
import Wire

@testable import Storage

/// Budgets, and what was spent.
extension StepTests {
    @Test func aHundredWhoRaceForTheLastUnitsDoNotOverspend() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "ten", unit: .requests, amount: 10, period: .day))
            _ = try await host.admin.perform(SetBudget(name: "much", unit: .tokens, amount: 1_000_000))
            for _ in 0..<100 { try await host.admin.enqueue() }
            try await host.withRunner { runner in
                let leases = try await runner.claim(100, as: "a")
                let outcomes = try await withThrowingTaskGroup(of: ErrorCode?.self) { group in
                    for lease in leases {
                        group.addTask {
                            do {
                                let begun = try await runner.perform(begin(lease, as: "a", tokens: 100))
                                return begun.state == .begun ? nil : .internal
                            } catch let error as ServiceError {
                                return error.code
                            }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(outcomes.count { $0 == nil } == 10)
                #expect(outcomes.count { $0 == .resourceExhausted } == 90)
            }
            // Those that were refused took nothing from the other budget either.
            let used = try await values(database, "select used::bigint from budget order by name")
            #expect(used == [1_000, 10])
        }
    }

    @Test func whatWasNotNeededGoesBackAndUsageAndCostAreInTheRecord() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetPrice(model: "m", since: "2020-01-01", input: 1, cached: 0, output: 10))
            _ = try await host.admin.perform(SetPrice(model: "m", since: "2025-01-01", input: 2, cached: 0, output: 10))
            _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 5_000))
            var echo = SetBudget(name: "b", unit: .tokens, amount: 0)
            echo.agent = "another"
            _ = try await host.admin.perform(echo)
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                _ = try await runner.perform(begin(lease, as: "a", tokens: 4_000))
                let tooMuch = begin(lease, as: "a", "2", tokens: 2_000)
                await #expect { try await runner.perform(tooMuch) } throws: {
                    let error = $0 as? ServiceError
                    return error?.code == .resourceExhausted
                        && error?.message.contains("may take 2000: 4000 of 5000 tokens are used or reserved") == true
                }
                _ = try await runner.perform(try end(lease, as: "a", "So.", input: 1_000, output: 500))
                let used = try await values(database, "select used::bigint from budget order by name")
                #expect(used == [1_500, 0])
                let now = try await runner.perform(tooMuch)
                #expect(now.state == .begun)
                _ = try await runner.perform(
                    EndStep(run: lease.run, runner: "a", attempt: 1, step: "2", answer: nil)
                )
            }
            for key in ListCosts.Key.allCases {
                let costs = try await host.admin.perform(ListCosts(by: key)).costs
                #expect(costs.count == 1 && costs.first?.requests == 2, "\(key)")
                #expect(costs.first?.inputTokens == 1_000 && costs.first?.outputTokens == 500, "\(key)")
                #expect(costs.first.map { abs($0.cost - 0.007) < 1e-9 } == true, "\(key)")
            }
            let seen = try await values(database, "select (sum(cost) * 1000)::bigint from run_cost")
            #expect(seen == [7])
        }
    }

    @Test func aBudgetOfMoneyRefusesWhatNobodyKnowsThePriceOf() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "a dollar", unit: .money, amount: 1))
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                let unknown = begin(lease, as: "a", tokens: 4_000)
                await #expect { try await runner.perform(unknown) } throws: {
                    let error = $0 as? ServiceError
                    return error?.code == .resourceExhausted && error?.message.contains("octavo runs price") == true
                }
                // The runner knows, and then somebody sets another price, which counts.
                var told = unknown
                told.microdollars = 600_000
                let begun = try await runner.perform(told)
                #expect(begun.state == .begun)
                told.step = "2"
                let second = told
                await #expect { try await runner.perform(second) } throws: {
                    ($0 as? ServiceError)?.code == .resourceExhausted
                }
                _ = try await host.admin.perform(
                    SetPrice(model: "m", since: "2020-01-01", input: 100, cached: 0, output: 0)
                )
                let cheap = try await runner.perform(second)
                #expect(cheap.state == .begun)
            }
        }
    }

    @Test(arguments: [nil, 6_000])
    func theEstimateOfAnAnswerHasThePriceOfAnswers(outputTokens: Int?) async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(
                SetPrice(model: "m", since: "2020-01-01", input: 0, cached: 0, output: 100)
            )
            _ = try await host.admin.perform(SetBudget(name: "a dollar", unit: .money, amount: 1))
            _ = try await host.admin.perform(SetBudget(name: "tokens", unit: .tokens, amount: 100_000))
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                // Where it is not said which they are, all may be the answer's.
                var step = begin(lease, as: "a", tokens: outputTokens == nil ? 6_000 : 20_000)
                step.outputTokens = outputTokens
                let begun = try await runner.perform(step)
                #expect(begun.state == .begun)
                step.step = "2"
                let second = step
                await #expect { try await runner.perform(second) } throws: {
                    ($0 as? ServiceError)?.code == .resourceExhausted
                }
                // What was not needed is there again, in both.
                _ = try await runner.perform(try end(lease, as: "a", "So.", input: 500, output: 1_000))
                let used = try await values(database, "select (used * 10)::bigint from budget order by name")
                #expect(used == [1, 15_000])
                let now = try await runner.perform(second)
                #expect(now.state == .begun)
            }
        }
    }

    @Test func aPartOfTheTokensIsNoMoreThanAllOfThem() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                var step = begin(try await runner.claim(1, as: "a")[0], as: "a", tokens: 10)
                step.outputTokens = 11
                let wrong = step
                await #expect { try await runner.perform(wrong) } throws: {
                    ($0 as? ServiceError)?.code == .invalidArgument
                }
            }
        }
    }

    @Test func aCallThatFailedGivesItsMoneyBack() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "a dollar", unit: .money, amount: 1))
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                // The second is of a runner that does not say what it has cost.
                for (step, cost) in [("1", 0), ("2", nil as Int?)] {
                    var dear = begin(lease, as: "a", step, tokens: 4_000)
                    dear.microdollars = 900_000
                    let begun = try await runner.perform(dear)
                    #expect(begun.state == .begun)
                    _ = try await runner.perform(
                        EndStep(run: lease.run, runner: "a", attempt: 1, step: step, answer: nil, microdollars: cost)
                    )
                }
            }
            let used = try await values(database, "select used::bigint from budget")
            #expect(used == [0])
        }
    }

    @Test func whatTheRunnerSaysCountsWhereNoPriceIsSetAndForTheModelThatAnswered() async throws {
        try await withHost { host in
            try await host.admin.enqueue()
            try await host.withRunner { runner in
                let lease = try await runner.claim(1, as: "a")[0]
                for (step, dollars, model) in [("1", 250_000, "m"), ("2", nil, "m"), ("3", 500_000, "other")] {
                    _ = try await runner.perform(begin(lease, as: "a", step))
                    _ = try await runner.perform(
                        EndStep(
                            run: lease.run,
                            runner: "a",
                            attempt: 1,
                            step: step,
                            answer: nil,
                            inputTokens: 10,
                            microdollars: dollars,
                            model: model
                        )
                    )
                }
            }
            let costs = try await host.admin.perform(ListCosts(by: .model)).costs
            #expect(costs.map(\.key) == ["other", "m"] && costs.map(\.cost) == [0.5, 0.25])
            #expect(costs.map(\.unpriced) == [0, 1] && costs.map(\.requests) == [1, 2])
        }
    }
}

extension RPCClient {
    /// Calls made at once, with their results in order.
    func all<O: Operation>(_ calls: [O]) async throws -> [O.Result] {
        try await withThrowingTaskGroup(of: Numbered<O.Result>.self) { group in
            for (number, call) in calls.enumerated() {
                group.addTask { Numbered(number: number, value: try await self.perform(call)) }
            }
            var results: [Numbered<O.Result>] = []
            for try await result in group { results.append(result) }
            return results.sorted { $0.number < $1.number }.map(\.value)
        }
    }
}

private struct Numbered<Value: Sendable>: Sendable {
    let number: Int
    let value: Value
}
