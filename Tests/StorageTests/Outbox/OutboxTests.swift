import Contract
import OctavoTesting
import Testing
import Wire

@testable import RPC
@testable import Storage

/// Messages on a real Postgres: written with their cause, given out in order, and never lost.
@Suite(.serialized) struct OutboxTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost, String) async throws -> Void) async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { host in
            _ = try await host.admin.perform(AddWebhook(Webhook(name: "ci", url: "https://ci.example.com/")))
            try await body(host, database)
        }
    }

    private func deliveries(_ host: StorageHost, _ name: String = "ci") async throws -> [ListDeliveries.Result.Line] {
        try await host.admin.perform(ListDeliveries(webhook: name, limit: 100)).deliveries
    }

    /// So many messages as they are given out, each settled so.
    private func take(
        _ count: Int,
        as runner: String,
        _ host: StorageHost,
        _ verdict: SettleMessage.Verdict = .sent
    ) async throws -> [ClaimMessages.Item] {
        try await host.withRunner { client in
            var taken: [ClaimMessages.Item] = []
            for try await item in client.stream(ClaimMessages(runner: runner, holding: []), deadline: .seconds(60))
                .items
            {
                taken.append(item)
                _ = try await client.perform(settle(item, as: runner, verdict))
                if taken.count == count { break }
            }
            return taken
        }
    }

    private func settle(
        _ item: ClaimMessages.Item,
        as runner: String,
        _ verdict: SettleMessage.Verdict,
        after: Int? = nil
    ) -> SettleMessage {
        SettleMessage(
            message: item.message,
            runner: runner,
            attempt: item.attempt,
            verdict: verdict,
            status: verdict == .sent ? 200 : 500,
            error: verdict == .sent ? nil : "No.",
            afterMilliseconds: after
        )
    }

    @Test func aRunThatEndsIsToldOnceToWhoeverIsToldOfItsAgent() async throws {
        try await withHost { host, _ in
            let other = Webhook(name: "other", url: "https://other.example.com/", agent: "documentation")
            _ = try await host.admin.perform(AddWebhook(other))
            let run = try await host.admin.enqueue().run
            let cancelled = try await host.admin.enqueue().run
            _ = try await host.admin.perform(CancelRun(run: cancelled))
            try await host.withRunner { runner in
                try await runner.finish(runner.claim(1, as: "a")[0], as: "a")
            }
            let told = try await deliveries(host)
            #expect(told.map(\.run) == [run, cancelled] && told.allSatisfy { $0.state == .queued })
            let items = try await take(2, as: "b", host)
            let body = try JSON(validating: items[1].body)
            #expect(body.member("type")?.description == #""run.succeeded""#, "\(items[1].body)")
            let data = try #require(body.member("data"))
            #expect(data.member("answer")?.description == #""So.""# && data.member("run")?.description == "\"\(run)\"")
            #expect(items[0].body.contains(#""run.cancelled""#) && items[0].url == "https://ci.example.com/")
            let (ended, others) = (try await deliveries(host), try await deliveries(host, "other"))
            #expect(ended.allSatisfy { $0.state == .sent && $0.status == 200 } && others.isEmpty)
        }
    }

    @Test func theMessagesOfADestinationGoOneAfterTheOtherAlsoWhenOneIsTriedAgain() async throws {
        try await withHost { host, database in
            for _ in 0..<5 { _ = try await host.admin.perform(TestWebhook("ci")) }
            let failed = try await take(1, as: "a", host, .failed)[0]
            let waiting = try await deliveries(host).last
            #expect(waiting?.message == failed.message && waiting?.state == .queued && waiting?.error == "No.")
            try await sql(database, "update outbox set next_at = now()")
            let taken = try await take(5, as: "b", host)
            #expect(taken.map(\.message) == Array(failed.message..<(failed.message + 5)))
            #expect(
                taken[0].attempt == 2 && taken[0].key == failed.key && taken[0].body == failed.body && !taken[0].again
            )
        }
    }

    @Test func whatASenderThatIsLostHadIsUnknownAndGivenOutAgainUnderItsKey() async throws {
        try await withHost { host, database in
            _ = try await host.admin.perform(TestWebhook("ci"))
            let first = try await host.withRunner { client in
                try await client.stream(ClaimMessages(runner: "a", holding: []), deadline: .seconds(60)).next()
            }
            let again = try await take(1, as: "b", host)[0]
            #expect(again.key == first?.key && again.again && again.attempt == 2)
            // The first one's word comes too late.
            let late = settle(try #require(first), as: "a", .gone)
            await #expect(throws: ServiceError.self) { try await host.withRunner { _ = try await $0.perform(late) } }
            let states = try await deliveries(host).map(\.state)
            #expect(states == [.sent])
        }
    }

    @Test func whatIsTriedTooOftenIsDeadAndKeepsNobodyWaiting() async throws {
        try await withHost { host, database in
            let message = try await host.admin.perform(TestWebhook("ci")).message
            _ = try await host.admin.perform(TestWebhook("ci"))
            try await sql(database, "update outbox set tries = 1 where id = \(message)")
            _ = try await take(1, as: "a", host, .unknown)
            let next = try await take(1, as: "b", host)[0]
            let dead = try await host.admin.perform(ListDeliveries(state: .dead)).deliveries
            #expect(next.message == message + 1 && dead.map(\.message) == [message] && dead[0].error == "No.")
            let list = try await host.admin.perform(ListWebhooks()).webhooks
            #expect(list.map(\.dead) == [1] && list[0].waiting == 0)
            _ = try await host.admin.perform(RetryDelivery(message))
            let again = try await take(1, as: "c", host)[0]
            #expect(again.message == message && again.attempt == 2)
            await #expect(throws: ServiceError.self) { try await host.admin.perform(RetryDelivery(message)) }
        }
    }

    @Test func aReceiverThatIsGoneGetsNothingMoreUntilItIsAddedAgain() async throws {
        try await withHost { host, _ in
            for _ in 0..<3 { _ = try await host.admin.perform(TestWebhook("ci")) }
            _ = try await take(1, as: "a", host, .gone)
            let run = try await host.admin.enqueue().run
            _ = try await host.admin.perform(CancelRun(run: run))
            let (dead, list) = (try await deliveries(host), try await host.admin.perform(ListWebhooks()).webhooks)
            #expect(dead.count == 3 && dead.allSatisfy { $0.state == .dead } && list[0].disabled == "No.")
            _ = try await host.admin.perform(AddWebhook(list[0].webhook))
            let on = try await host.admin.perform(ListWebhooks()).webhooks
            #expect(on[0].disabled == nil)
        }
    }

    @Test func aDestinationIsLeftAloneAsLongAsItAsksAndNoFasterThanItsPace() async throws {
        try await withHost { host, database in
            _ = try await host.admin.perform(
                AddWebhook(Webhook(name: "slow", url: "https://slow.example.com/", perSecond: 1))
            )
            for name in ["ci", "ci", "slow", "slow"] { _ = try await host.admin.perform(TestWebhook(name)) }
            try await host.withRunner { client in
                let stream = client.stream(ClaimMessages(runner: "a", holding: []), deadline: .seconds(60))
                let first = [try #require(await stream.next()), try #require(await stream.next())]
                #expect(Set(first.map(\.destination)) == ["webhook/ci", "webhook/slow"])
                for item in first { _ = try await client.perform(settle(item, as: "a", .sent, after: 3_600_000)) }
            }
            let held = try await values(database, "select count(*) from outbox_destination where held_until > now()")
            let due = try await values(
                database,
                "select count(*) from outbox where state = 'queued' and next_at <= now()"
            )
            #expect(held == [2] && due == [2])
        }
    }

    @Test(arguments: [SettleMessage.Verdict.failed, .unknown, nil])
    func whatIsOnItsWayWhenItsWebhookIsRemovedGoesToNoOtherOfThatName(verdict: SettleMessage.Verdict?) async throws {
        try await withHost { host, database in
            for _ in 0..<2 { _ = try await host.admin.perform(TestWebhook("ci")) }
            try await host.withRunner { client in
                let item = try #require(
                    await client.stream(ClaimMessages(runner: "a", holding: []), deadline: .seconds(60)).next()
                )
                _ = try await host.admin.perform(RemoveWebhook("ci"))
                _ = try await host.admin.perform(AddWebhook(Webhook(name: "ci", url: "https://other.example.com/")))
                // Or its sender is lost.
                if let verdict { _ = try await client.perform(settle(item, as: "a", verdict)) }
            }
            try await eventually {
                try await values(database, "select count(*) from outbox where state = 'dead'") == [2]
            }
        }
    }

    @Test func whatReachesItsReceiverIsSentThoughItsWebhookWasRemoved() async throws {
        try await withHost { host, _ in
            _ = try await host.admin.perform(TestWebhook("ci"))
            try await host.withRunner { client in
                let item = try #require(
                    await client.stream(ClaimMessages(runner: "a", holding: []), deadline: .seconds(60)).next()
                )
                _ = try await host.admin.perform(RemoveWebhook("ci"))
                _ = try await client.perform(settle(item, as: "a", .sent))
            }
            let states = try await deliveries(host).map(\.state)
            #expect(states == [.sent])
        }
    }

    @Test func whatIsLostOnTheWayToItsSenderForTheLastTimeIsDead() async throws {
        try await withHost { host, database in
            _ = try await host.admin.perform(TestWebhook("ci"))
            try await host.withRunner { client in
                let claim = ClaimMessages(runner: "a", holding: [])
                let item = try #require(await client.stream(claim, deadline: .seconds(60)).next())
                try await sql(database, "update outbox set tries = attempt, leased_at = now() - interval '1 minute'")
                // The next offer says that it holds nothing, and gets the next message.
                _ = try await host.admin.perform(TestWebhook("ci"))
                let other = try await client.stream(claim, deadline: .seconds(60)).next()
                #expect(other?.message == item.message + 1)
            }
            let states = try await deliveries(host).map(\.state)
            #expect(states.last == .dead)
        }
    }

    @Test func twoHostsGiveEachMessageOutOnce() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { one in
            try await StorageHost.run(database: database) { two in
                for number in 0..<10 {
                    let webhook = Webhook(name: "w\(number)", url: "https://w.example.com/")
                    _ = try await one.admin.perform(AddWebhook(webhook))
                    for _ in 0..<6 { _ = try await two.admin.perform(TestWebhook("w\(number)")) }
                }
                try await withThrowingDiscardingTaskGroup { group in
                    for (number, host) in [one, two, one].enumerated() {
                        group.addTask { _ = try? await take(60, as: "runner-\(number)", host) }
                    }
                    try await eventually {
                        try await values(database, "select count(*) from outbox where state = 'sent'") == [60]
                    }
                    group.cancelAll()
                }
                let attempts = try await values(database, "select count(*) from outbox where attempt <> 1")
                #expect(attempts == [0])
            }
        }
    }

    @Test func whatCannotBeAWebhookIsRefused() async throws {
        let wrong = [
            Webhook(name: "", url: "https://x.example.com"), Webhook(name: "a b", url: "https://x.example.com"),
            Webhook(name: "a=b", url: "https://x.example.com"), Webhook(name: "a", url: "ftp://x.example.com"),
            Webhook(name: "a", url: "https://"), Webhook(name: "a", url: "https://me:secret@x.example.com"),
            Webhook(name: "a", url: "nothing"), Webhook(name: "a", url: "https://x.example.com", perSecond: 0),
            Webhook(name: "ci", url: "https://other.example.com"),
        ]
        try await withHost { host, _ in
            for webhook in wrong {
                await #expect(throws: ServiceError.self, "\(webhook)") {
                    try await host.admin.perform(AddWebhook(webhook))
                }
            }
            _ = try await host.admin.perform(RemoveWebhook("ci"))
            await #expect(throws: ServiceError.self) { try await host.admin.perform(TestWebhook("ci")) }
        }
    }
}
