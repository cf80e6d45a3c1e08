import Contract
import OctavoTesting
import RPC
import Testing
import Wire

@testable import Storage

/// What administrators have set, as it is told.
@Suite(.serialized) struct RulesTests {
    @Test func everythingIsToldAsTheCallThatWouldSetIt() async throws {
        try await StorageHost.run(database: TestDatabase.make()) { host in
            let empty = try await host.admin.perform(ListRules())
            #expect(empty.budgets.isEmpty && empty.limits.isEmpty && empty.prices.isEmpty)
            #expect(empty.conducts.isEmpty && empty.approvals.isEmpty)
            var budget = SetBudget(name: "b", unit: .money, amount: 2.5, period: .month)
            (budget.agent, budget.reader, budget.channel) = ("echo", "ada", .http)
            _ = try await host.admin.perform(budget)
            _ = try await host.admin.perform(SetBudget(name: "a", unit: .tokens, amount: 10))
            _ = try await host.admin.perform(LimitRuns(agent: "echo", starts: 3, seconds: 90))
            _ = try await host.admin.perform(LimitRuns(agent: "free"))
            _ = try await host.admin.perform(
                SetPrice(model: "m", since: "2026-01-31", input: 0.25, cached: 0, output: 2)
            )
            _ = try await host.admin.perform(SetConduct(agent: "echo", doubleText: .merge))
            _ = try await host.admin.perform(RequireApproval(agent: "echo", tool: "order", seconds: 600))
            try await host.withRunner { runner in
                _ = try await runner.perform(
                    FileConducts([.init(agent: "desk", doubleText: .reject), .init(agent: "echo", doubleText: .reject)])
                )
            }
            let rules = try await host.admin.perform(ListRules())
            #expect(rules.budgets.map(\.budget.name) == ["a", "b"] && rules.budgets.map(\.used) == [0, 0])
            #expect(rules.budgets[0].until == nil && rules.budgets[1].until?.contains("-01T00:00:00.000Z") == true)
            let told = rules.budgets[1].budget
            #expect(told.agent == "echo" && told.reader == "ada" && told.channel == .http)
            #expect(told.unit == .money && told.amount == 2.5 && told.period == .month)
            #expect(
                rules.limits.map(\.agent) == ["echo"] && rules.limits[0].starts == 3 && rules.limits[0].seconds == 90
            )
            #expect(rules.prices.map(\.since) == ["2026-01-31"] && rules.prices[0].input == 0.25)
            // What an administrator says wins over the file.
            #expect(rules.conducts.map(\.conduct.agent) == ["desk", "echo"])
            #expect(rules.conducts.map(\.conduct.doubleText) == [.reject, .merge])
            #expect(rules.conducts.map(\.isOfFile) == [true, false])
            #expect(rules.approvals.map(\.tool) == ["order"] && rules.approvals[0].seconds == 600)
        }
    }

    @Test func pricesAndConductsAreTakenBackAndWhatIsNotThereIsNot() async throws {
        try await StorageHost.run(database: TestDatabase.make()) { host in
            let (price, none) = (SetPrice(model: "m", since: "2026-01-31"), SetConduct(agent: "desk", doubleText: nil))
            _ = try await host.admin.perform(SetPrice(model: "m", since: "2026-01-31", input: 1, cached: 0, output: 2))
            _ = try await host.admin.perform(SetPrice(model: "m", since: "2026-02-01", input: 1, cached: 0, output: 2))
            _ = try await host.admin.perform(SetConduct(agent: "desk", doubleText: .merge))
            _ = try await host.admin.perform(price)
            _ = try await host.admin.perform(none)
            let rules = try await host.admin.perform(ListRules())
            #expect(rules.prices.map(\.since) == ["2026-02-01"] && rules.conducts.isEmpty)
            await #expect { try await host.admin.perform(price) } throws: {
                ($0 as? ServiceError)?.code == .notFound
            }
            await #expect { try await host.admin.perform(none) } throws: { ($0 as? ServiceError)?.code == .notFound }
            let half = SetPrice(model: "m", since: "2026-02-01", input: 1)
            await #expect { try await host.admin.perform(half) } throws: {
                ($0 as? ServiceError)?.code == .invalidArgument
            }
        }
    }

    @Test func whatWasUsedInAPeriodThatIsOverCountsNoMore() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(SetBudget(name: "day", unit: .tokens, amount: 10, period: .day))
            _ = try await host.admin.perform(SetBudget(name: "ever", unit: .tokens, amount: 10))
            try await sql(
                database,
                "update budget set used = 7, period_began = coalesce(date_trunc(period, now(), 'UTC'), '-infinity')"
            )
            let now = try await host.admin.perform(ListRules()).budgets.map(\.used)
            #expect(now == [7, 7])
            try await sql(database, "update budget set period_began = period_began - interval '1 day'")
            let next = try await host.admin.perform(ListRules()).budgets.map(\.used)
            #expect(next == [0, 7])
        }
    }

    @Test(arguments: [
        (SetBudget(name: "b", unit: .tokens, amount: 1.5), ErrorCode.invalidArgument, "whole numbers"),
        (SetBudget(name: "b", unit: .toolCalls, amount: 1e16), .invalidArgument, "from 0 to 1000000000000000"),
        (SetBudget(name: "b", unit: .money, amount: -0.5), .invalidArgument, "from 0 to"),
        (SetBudget(name: "b", amount: 1), .invalidArgument, "requests, tool_calls, tokens, money"),
        (SetBudget(name: "", unit: .money, amount: 1), .invalidArgument, "1 to 200 bytes"),
        (SetBudget(name: "b"), .notFound, "There is no budget"),
    ])
    func whatIsNoBudgetIsRefused(budget: SetBudget, code: ErrorCode, sentence: String) async throws {
        try await StorageHost.run(database: TestDatabase.make()) { host in
            await #expect { try await host.admin.perform(budget) } throws: {
                let error = $0 as? ServiceError
                return error?.code == code && error?.message.contains(sentence) == true
            }
        }
    }

    @Test func theLaneOfARunIsForAdministratorsAlone() async throws {
        try await StorageHost.run(database: TestDatabase.make()) { host in
            let run = try await host.admin.enqueue {
                ($0.lane, $0.priority, $0.delayMilliseconds, $0.deadlineMilliseconds) = ("secret", 3, 60_000, 120_000)
            }.run
            let told = try await host.admin.perform(GetRun(run: run))
            #expect(told.lane == "secret" && told.priority == 3 && told.due != nil && told.deadline != nil)
            let other = try await host.withRunner { try await $0.perform(GetRun(run: run)) }
            #expect(other.lane == nil && other.priority == 3 && other.due == told.due)
        }
    }
}
