import Contract
import Daemon
import FoundationEssentials
import RPC
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Webhooks through real processes, to a receiver that behaves as badly as receivers do.
@Suite(.serialized) struct WebhookHouseTests {
    private func withHouse(
        _ answers: [Answer],
        _ body: (TestHouse, ScriptedProvider) async throws -> Void
    ) async throws {
        try await ScriptedProvider.withServer(answers) { receiver in
            let settings = [
                "OCTAVO_WEBHOOK_NETWORKS": "127.0.0.1",
                "WEBHOOK_SECRETS": "ci=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                let added = try await octavo(["add", "ci", receiver.url], house)
                #expect(added.exit == .code(0), "\(added.errors)")
                try await body(house, receiver)
            }
        }
    }

    private func octavo(_ words: [String], _ house: TestHouse) async throws -> TestHouse.Output {
        try await house.octavo(["webhooks"] + words + ["--run-folder", house.runFolder])
    }

    private func echo(_ house: TestHouse) async throws -> RunID {
        let enqueue = EnqueueRun(run: .new(), agent: "echo", question: Question(text: "How?", channel: .http))
        return try await house.withAdmin(of: "storage") { try await $0.perform(enqueue).run }
    }

    private func deliveries(_ house: TestHouse) async throws -> [ListDeliveries.Result.Line] {
        try await house.withAdmin(of: "storage") { try await $0.perform(ListDeliveries()).deliveries }
    }

    @Test func aWebhookThatNothingCanBeToldToIsSaidToBeOne() async throws {
        try await withHouse([]) { house, receiver in
            let fine = try await octavo(["add", "ci", receiver.url], house)
            #expect(fine.text.contains("are told to ci") && fine.errors.isEmpty, "\(fine)")
            // Numbers, so that nobody has to resolve a name.
            for (name, url) in [("plain", "http://9.9.9.9/"), ("port", "https://9.9.9.9:8443/")] {
                let added = try await octavo(["add", name, url], house)
                #expect(added.text.contains("nothing can be told to it"), "\(added)")
                #expect(added.errors.contains("\(name): Beyond the house only https:// on port 443"), "\(added)")
                #expect(added.errors.contains("\(name): There is no secret of that name"), "\(added)")
            }
        }
    }

    @Test func aRunThatHasEndedIsPostedAndSigned() async throws {
        try await withHouse([.json("{}", status: 204)]) { house, receiver in
            let unknown = try await octavo(["deliveries", "nope"], house)
            #expect(unknown.exit == .code(1) && unknown.errors.contains("There is no webhook \"nope\""), "\(unknown)")
            let none = try await octavo(["deliveries", "ci"], house)
            #expect(none.exit == .code(0) && none.text.isEmpty, "\(none)")
            let run = try await echo(house)
            await receiver.received(1)
            let request = receiver.requests[0]
            let id = run.description.filter { $0 != "-" }
            #expect(request.headers["webhook-id"]?.hasPrefix("run_\(id)_") == true)
            #expect(request.headers["webhook-signature"]?.hasPrefix("v1,") == true)
            #expect(
                request.body.contains(#""type" : "run.succeeded""#) && request.body.contains("\(run)"),
                "\(request.body)"
            )
            try await eventually { try await deliveries(house).map(\.state) == [.sent] }
        }
    }

    @Test func aReceiverThatIsBusyFailsOrCutsGetsItAgainUnderTheSameId() async throws {
        try await withHouse([.fails(500), .hangsUp, .json("{}", status: 200)]) { house, receiver in
            _ = try await echo(house)
            await receiver.received(2)
            try await eventually { try await [.unknown, .sending, .sent].contains(deliveries(house).first?.state) }
            // What follows comes after ten seconds; the first stop of a runner brings nothing forward.
            await receiver.received(3)
            try await eventually { try await deliveries(house).map(\.state) == [.sent] }
            let requests = receiver.requests
            #expect(Set(requests.map { $0.headers["webhook-id"] }).count == 1 && Set(requests.map(\.body)).count == 1)
            #expect(Set(requests.map { $0.headers["webhook-signature"] }).count == 3)
        }
    }

    @Test func aReceiverThatHangsLosesNothingWhenTheSenderIsKilled() async throws {
        try await withHouse([.hangs, .json("{}", status: 200)]) { house, receiver in
            _ = try await echo(house)
            await receiver.received(1)
            house.kill("octavo-agent-runner")
            await receiver.received(2)
            try await eventually { try await deliveries(house).map(\.state) == [.sent] }
            let ids = receiver.requests.map { $0.headers["webhook-id"] }
            let attempt = try await deliveries(house).first?.attempt
            #expect(ids[0] == ids[1] && attempt == 2)
        }
    }

    @Test func aReceiverThatNeverFinishesItsAnswerHoldsNothingUp() async throws {
        try await withHouse([.hangs(afterSaying: "Thank"), .json("{}", status: 200)]) { house, receiver in
            _ = try await echo(house)
            _ = try await echo(house)
            try await eventually { try await deliveries(house).map(\.state) == [.sent, .sent] }
            #expect(receiver.requests.count == 2)
        }
    }

    @Test func whatAReceiverAsksForIsHeeded() async throws {
        try await withHouse([.rateLimited(retryAfter: "1"), .json("{}", status: 200), .fails(410)]) { house, receiver in
            let start = ContinuousClock.now
            let tried = try await octavo(["test", "ci"], house)
            #expect(tried.exit == .code(1) && tried.errors.contains("429"), "\(tried.errors)")
            await receiver.received(2)
            #expect(.now - start > .seconds(1))
            try await eventually { try await deliveries(house).map(\.state) == [.sent] }
            let gone = try await octavo(["test", "ci"], house)
            #expect(gone.exit == .code(1) && gone.errors.contains("410"), "\(gone.errors)")
            let list = try await octavo(["list"], house)
            #expect(list.text.contains("off") && list.errors.contains("gone"), "\(list.text)")
        }
    }

    @Test func anAddressInsideTheHouseThatNobodyNamedIsNotAsked() async throws {
        try await ScriptedProvider.withServer([.json("{}", status: 200)]) { receiver in
            let settings = ["WEBHOOK_SECRETS": "ci=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                for name in ["ci", "nameless"] {
                    let added = try await octavo(["add", name, receiver.url], house)
                    #expect(added.exit == .code(0) && added.text.contains("nothing can be told to it"), "\(added)")
                    #expect(added.errors.contains("no secret") == (name == "nameless"), "\(added)")
                    #expect(added.errors.contains("\(name): Its address is inside the house"), "\(added)")
                    let tried = try await octavo(["test", name], house)
                    let sentence = name == "ci" ? "inside the house" : "no secret"
                    #expect(tried.exit == .code(1) && tried.errors.contains(sentence), "\(tried.errors)")
                }
                #expect(receiver.connections == 0)
            }
        }
    }
}
