import Contract
import Daemon
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// `octavo runs`, and what was set, as somebody at a terminal sees it.
@Suite(.serialized) struct RunsCommandTests {
    private func withHouse(_ body: (TestHouse) async throws -> Void) async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await body(house)
        }
    }

    private func octavo(_ words: String..., in house: TestHouse) async throws -> TestHouse.Output {
        try await house.octavo(words + ["--run-folder", house.runFolder])
    }

    // MARK: What was set

    @Test func allThatIsSetIsShown() async throws {
        try await withHouse { house in
            let none = try await octavo("runs", "rules", in: house)
            #expect(none.exit == .code(0) && none.errors.contains("Nothing is set."), "\(none)")
            for words in [
                ["runs", "budget", "news", "--agent", "echo", "--unit", "money", "--amount", "5", "--period", "month"],
                ["runs", "budget", "all", "--unit", "tokens", "--amount", "1000000"],
                ["runs", "limit", "echo", "--concurrent", "4", "--starts", "100", "--seconds", "60"],
                ["runs", "price", "m", "2026-01-31", "--input", "0.25", "--output", "2"],
                ["conversations", "conduct", "echo", "interrupt"],
                ["approvals", "require", "echo", "order", "--within", "8h"],
            ] {
                let done = try await house.octavo(words + ["--run-folder", house.runFolder])
                #expect(done.exit == .code(0) && done.errors.isEmpty, "\(words): \(done)")
            }
            let rules = try await octavo("runs", "rules", in: house)
            let lines = rules.text.split(separator: "\n").map {
                $0.split(separator: "  ").map { $0.filter { $0 != " " } }
            }
            for row in [
                ["BUDGET", "OF", "UNIT", "USED", "AMOUNT", "PERIOD", "UNTIL"],
                ["all", "everybody", "tokens", "0", "1000000", "ever", "-"],
                ["echo", "4", "100in60s"], ["m", "2026-01-31", "$0.25", "$0.25", "$2.00"],
                ["echo", "interrupt", "anadministrator"], ["echo", "order", "8h"],
            ] {
                #expect(lines.contains(row), "\(row): \(rules.text)")
            }
            #expect(lines.contains { $0.starts(with: ["news", "agentecho", "money", "$0.00", "$5.00", "month"]) })
            let json = try await octavo("runs", "rules", "--json", in: house)
            let document = try JSON(validating: String(json.text.dropLast())).decode(ListRules.Result.self)
            #expect(document.budgets.map(\.budget.name) == ["all", "news"] && document.limits.map(\.concurrent) == [4])
        }
    }

    @Test func aBudgetIsTakenAwayByItsNameAlone() async throws {
        try await withHouse { house in
            _ = try await octavo("runs", "budget", "all", "--unit", "tokens", "--amount", "10", in: house)
            let gone = try await octavo("runs", "budget", "all", in: house)
            #expect(gone.exit == .code(0), "\(gone)")
            let again = try await octavo("runs", "budget", "all", in: house)
            #expect(again.exit == .code(1) && again.errors.contains("There is no budget \"all\""), "\(again)")
        }
    }

    @Test func whatIsNoAmountIsRefusedWithASentence() async throws {
        try await withHouse { house in
            let budget = ["runs", "budget", "all"]
            let price = ["runs", "price", "m", "2026-01-31", "--output", "1", "--input"]
            for (words, sentence) in [
                (budget + ["--unit", "tokens", "--amount", "nan"], "--amount has to be a number from 0 to"),
                (budget + ["--unit", "tokens", "--amount", "inf"], "--amount has to be a number from 0 to"),
                (budget + ["--unit", "tokens", "--amount", "-1"], "--amount has to be a number from 0 to"),
                (budget + ["--unit", "tokens", "--amount", "1.5"], "Of tokens there are whole numbers only."),
                (budget + ["--amount", "1"], "Say what is counted: --unit is one of requests"),
                (
                    budget + ["--unit", "words", "--amount", "1"],
                    "--unit is one of requests, tool_calls, tokens, money"
                ),
                (price + ["nan"], "--input has to be a number from 0 to"),
                (["runs", "enqueue", "How?", "--priority", "-1"], "priority has to be from 0 to 3"),
                (["runs", "list", "--limit", "-1"], "limit has to be from 1 to 100"),
            ] {
                let refused = try await house.octavo(words + ["--run-folder", house.runFolder])
                #expect(refused.exit == .code(1) && refused.errors.contains(sentence), "\(words): \(refused)")
            }
        }
    }

    // MARK: What was asked

    @Test func runsAreListedWithTheirAgentsAPageAtATime() async throws {
        try await withHouse { house in
            var runs: [String] = []
            for _ in 0..<3 {
                let output = try await octavo("runs", "enqueue", "How?", "--agent", "echo", in: house)
                runs.append(String(output.text.prefix(36)))
            }
            let first = try await octavo("runs", "list", "--limit", "2", in: house)
            let lines = first.text.split(separator: "\n")
            #expect(
                lines.first?.hasPrefix("RUN ") == true && lines.count == 3 && lines[1].contains("  echo  "),
                "\(first)"
            )
            #expect(lines.dropFirst().map { String($0.prefix(36)) } == [runs[2], runs[1]])
            #expect(first.errors.contains("octavo runs list --limit 2 --before \(runs[1])"), "\(first)")
            let second = try await octavo("runs", "list", "--limit", "2", "--before", runs[1], in: house)
            #expect(second.text.split(separator: "\n").dropFirst().map { String($0.prefix(36)) } == [runs[0]])
            #expect(second.errors.isEmpty, "\(second)")
        }
    }

    @Test func aRunThatWaitsSaysForWhatAndOneThatWasCancelledIsNotCalledFailed() async throws {
        try await withHouse { house in
            let accepted = try await octavo(
                "runs",
                "enqueue",
                "How?",
                "--agent",
                "echo",
                "--delay",
                "3600",
                "--deadline",
                "7200",
                "--lane",
                "news",
                "--priority",
                "2",
                in: house
            )
            let run = String(accepted.text.prefix(36))
            let waiting = try await octavo("runs", "show", run, in: house)
            for words in ["due 20", "priority 2", "lane news", "fails at 20", "0 events"] {
                #expect(waiting.text.contains(words), "\(waiting)")
            }
            let seen = try await HTTP(house: house).get("/v1/runs/\(run)")
            #expect(seen.string("due")?.hasPrefix("20") == true && !seen.body.contains("news"), "\(seen.body)")
            _ = try await octavo("runs", "cancel", run, in: house)
            let cancelled = try await octavo("runs", "show", run, in: house)
            #expect(
                cancelled.text.contains("The run was cancelled.") && !cancelled.text.contains("failed"),
                "\(cancelled)"
            )
            #expect(cancelled.text.contains("· 1 event ·"), "\(cancelled)")
            let again = try await octavo("runs", "retry", run, in: house)
            let retried = try await octavo("runs", "show", String(again.text.prefix(36)), in: house)
            #expect(retried.text.contains("asks once more what run \(run) asked"), "\(retried)")
        }
    }

    @Test func costsHaveAHeadAndACurrency() async throws {
        try await withHouse { house in
            let none = try await octavo("runs", "costs", in: house)
            #expect(none.text.isEmpty && none.errors.contains("No model was called"), "\(none)")
        }
        try await ScriptedProvider.withServer([.says("Write to your lead at least two weeks before.")]) { provider in
            let settings = ["OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted"]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                try await house.importBook("Handbook", handbook)
                let price = ["runs", "price", "scripted", "2026-01-31", "--input", "1000", "--output", "0"]
                _ = try await house.octavo(price + ["--run-folder", house.runFolder])
                _ = try await house.octavo(["ask", "How do I request a day off?"])
                let costs = try await octavo("runs", "costs", "--by", "agent", in: house)
                let lines = costs.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                #expect(lines.first == ["COST", "CALLS", "NO", "PRICE", "SENT", "RECEIVED", "AGENT"], "\(costs)")
                #expect(lines.last?.first?.hasPrefix("$") == true && lines.last?.last == "documentation", "\(costs)")
                #expect(lines.count == 2 && lines.last?[1] == "1", "\(costs)")
                let json = try await octavo("runs", "costs", "--json", in: house)
                let cost = try JSON(validating: String(json.text.dropLast())).member("costs")?.elements?.first?.member(
                    "cost"
                )
                #expect(cost?.description.hasSuffix("00") == false, "\(json)")
            }
        }
    }

    @Test func pricesAndConductsThatWereMistypedAreTakenAway() async throws {
        try await withHouse { house in
            let (price, conduct) = (["runs", "price", "m", "2026-01-31"], ["conversations", "conduct", "nosuch"])
            for words in [price + ["--input", "1", "--output", "2"], conduct + ["merge"], price, conduct] {
                let done = try await house.octavo(words + ["--run-folder", house.runFolder])
                #expect(done.exit == .code(0), "\(words) \(done)")
            }
            for words in [price, conduct, price + ["--input", "1"]] {
                let refused = try await house.octavo(words + ["--run-folder", house.runFolder])
                #expect(refused.exit == .code(1), "\(words) \(refused)")
            }
            let rules = try await octavo("runs", "rules", in: house)
            #expect(rules.text.isEmpty && rules.errors.contains("Nothing is set."), "\(rules)")
        }
    }

    // MARK: What models say

    @Test func aQuestionThatTurnsTheDirectionOfWritingAroundIsShownWithAMark() async throws {
        try await withHouse { house in
            let asked = try await octavo("runs", "enqueue", "pay\u{202E}bob\u{1B}[2J", "--agent", "echo", in: house)
            for words in [["list"], ["show", String(asked.text.prefix(36))]] {
                let shown = try await house.octavo(["runs"] + words + ["--run-folder", house.runFolder])
                #expect(shown.text.contains("pay�bob�[2J") && !shown.text.contains("\u{202E}"), "\(shown)")
            }
        }
    }

    // MARK: Agents that nobody offers

    @Test func whatIsForAnAgentThatIsNotHereIsAcceptedWithAWord() async throws {
        try await withHouse { house in
            for words in [
                ["runs", "enqueue", "How?", "--agent", "nobody"], ["runs", "limit", "nobody", "--concurrent", "1"],
                ["runs", "budget", "b", "--agent", "nobody", "--unit", "tokens", "--amount", "1"],
                ["schedules", "add", "s", "--cron", "@daily", "--ask", "How?", "--agent", "nobody"],
                ["webhooks", "add", "w", "https://example.com/", "--agent", "nobody"],
                ["approvals", "require", "nobody", "x"], ["conversations", "conduct", "nobody", "merge"],
                ["conversations", "say", "How?", "--agent", "nobody", "--later"],
            ] {
                let done = try await house.octavo(words + ["--run-folder", house.runFolder])
                let sentence =
                    "There is no agent \"nobody\" on this host now; what is for it waits until there is one. Agents: "
                #expect(done.exit == .code(0) && done.errors.contains(sentence), "\(words): \(done)")
                #expect(done.errors.contains("documentation, summariser"), "\(words): \(done)")
            }
            let known = try await octavo("runs", "limit", "documentation", "--concurrent", "1", in: house)
            #expect(known.exit == .code(0) && known.errors.isEmpty, "\(known)")
        }
    }

    @Test func runsThatNobodyTakesAreToldOf() async throws {
        try await withHouse { house in
            try await eventually { try await octavo("health", in: house).exit == .code(0) }
            let quiet = try await octavo("health", in: house)
            _ = try await octavo("runs", "enqueue", "How?", "--agent", "nobody", in: house)
            let check = try await octavo("run", "check", in: house)
            let sentence = "1 run waits for the agent \"nobody\", which is not on this host"
            // Another host may have it and be busy: nothing is known to be wrong.
            #expect(check.exit == .code(0) && check.text.contains("note     queue: \(sentence)"), "\(check)")
            #expect(check.text.contains("octavo runs list --state queued"), "\(check)")
            let health = try await octavo("health", in: house)
            #expect(
                health.exit == .code(0) && health.text.contains(sentence) && !quiet.text.contains("nobody"),
                "\(health)"
            )
        }
    }

    @Test func aMessageToAnAgentThatThereIsNotIsRefused() async throws {
        try await withHouse { house in
            let messages = "/v1/conversations/\(ConversationID())/messages"
            let refused = try await HTTP(house: house).post(messages, #"{"text":"How?","agent":"nobody"}"#)
            #expect(refused.status == 400 && refused.body.contains("There is no agent"), "\(refused)")
            let said = try await HTTP(house: house).post(messages, #"{"text":"How?","agent":"echo"}"#)
            #expect(said.status == 202, "\(said)")
        }
    }

    // MARK: Queries

    @Test func runsAreFoundByTheirStateAndWhatNobodyKnowsIsRefused() async throws {
        try await withHouse { house in
            let accepted = try await octavo("runs", "enqueue", "How?", "--agent", "echo", "--delay", "3600", in: house)
            let http = HTTP(house: house)
            let found = try await http.get("/v1/runs?state=scheduled&limit=5")
            #expect(found.status == 200 && found.body.contains(accepted.text.prefix(36)), "\(found)")
            let none = try await http.get("/v1/runs?state=failed")
            #expect(none.status == 200 && none.json?.member("runs")?.elements?.isEmpty == true, "\(none)")
            let wrong = try await http.get("/v1/runs?state=broken")
            #expect(
                wrong.status == 400 && wrong.string("detail")?.contains("one of scheduled, waiting") == true,
                "\(wrong)"
            )
            let run = accepted.text.prefix(36)
            for path in [
                "/v1/runs?sate=failed", "/v1/books?offset=1", "/v1/books/1?page=2", "/v1/search?q=x&count=1",
                "/v1/readers?page=2",
                "/v1/readers/1/reading-list?page=2", "/v1/runs/\(run)/events?from=1",
                "/v1/conversations/\(ConversationID())?page=2",
            ] {
                let refused = try await http.get(path)
                #expect(refused.status == 400 && refused.body.contains("There is no parameter"), "\(path): \(refused)")
            }
        }
    }
}
