import Contract
import OctavoTesting
import Testing
import Wire

@testable import RPC
@testable import Storage

/// A run's id, said again: the same question is the same run, and another one is refused.
@Suite(.serialized) struct RunIDTests {
    private static let question = Question(text: "How?", reader: "ada", channel: .http)

    /// What differs from the first in one thing each.
    private static let others: [(agent: String, question: Question)] = [
        ("slow", question),
        ("echo", Question(text: "Why?", reader: "ada", channel: .http)),
        ("echo", Question(text: "How?", reader: "bob", channel: .http)),
        ("echo", Question(text: "How?", channel: .http)),
        ("echo", Question(text: "How?", reader: "ada", channel: .web)),
    ]

    private func isAnother(_ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return false
        } catch {
            return (error as? ServiceError)?.code == .alreadyExists
        }
    }

    private func open(_ run: RunID, _ agent: String, _ question: Question) -> OpenRun {
        let event = RunEvent(sequence: 1, at: "", body: .status("…"))
        return OpenRun(run: run, agent: agent, model: "m", question: question, runner: "a", event: event)
    }

    private func enqueue(
        _ run: RunID,
        _ agent: String = "echo",
        _ question: Question = question,
        lane: String?
    ) -> EnqueueRun {
        var enqueue = EnqueueRun(run: run, agent: agent, question: question)
        enqueue.lane = lane
        return enqueue
    }

    /// With a lane it is another statement than without.
    @Test(arguments: [nil, "lane"])
    func anIDThatWasAcceptedIsThatOfItsQuestionAlone(lane: String?) async throws {
        try await StorageHost.run(database: TestDatabase.make()) { host in
            let run = RunID.new()
            let first = try await host.admin.perform(enqueue(run, lane: lane))
            let again = try await host.admin.perform(enqueue(run, lane: lane))
            #expect(first.isNew && !again.isNew && again.run == run)
            for (agent, question) in Self.others {
                let other = enqueue(run, agent, question, lane: lane)
                #expect(await isAnother { _ = try await host.admin.perform(other) }, "\(agent) \(question)")
                try await host.withRunner { runner in
                    let opening = open(run, agent, question)
                    #expect(await isAnother { _ = try await runner.perform(opening) }, "\(agent) \(question)")
                }
            }
        }
    }

    @Test func anIDThatWasOpenedIsThatOfItsQuestionAlone() async throws {
        try await StorageHost.run(database: TestDatabase.make()) { host in
            try await host.withRunner { runner in
                let run = RunID.new()
                for _ in 0..<2 {
                    let opened = try await runner.perform(open(run, "echo", Self.question))
                    #expect(opened.attempt == 1)
                }
                for (agent, question) in Self.others {
                    let opening = open(run, agent, question)
                    #expect(await isAnother { _ = try await runner.perform(opening) }, "\(agent) \(question)")
                }
            }
        }
    }

    @Test func anIDOfAConversationIsSaidAgainThereAlone() async throws {
        try await StorageHost.run(database: TestDatabase.make()) { host in
            let (run, talk) = (RunID.new(), ConversationID())
            let say = Say(conversation: talk, run: run, agent: "echo", question: Self.question)
            _ = try await host.admin.perform(say)
            let again = try await host.admin.perform(say)
            #expect(!again.isNew && again.run == run)
            for (agent, question) in Self.others {
                let other = Say(conversation: talk, run: run, agent: agent, question: question)
                #expect(await isAnother { _ = try await host.admin.perform(other) }, "\(agent) \(question)")
            }
            let elsewhere = Say(conversation: .init(), run: run, agent: "echo", question: Self.question)
            #expect(await isAnother { _ = try await host.admin.perform(elsewhere) })
            for lane in [nil, "lane"] {
                let alone = enqueue(run, lane: lane)
                #expect(await isAnother { _ = try await host.admin.perform(alone) })
            }
            try await host.withRunner { runner in
                let opening = open(run, "echo", Self.question)
                #expect(await isAnother { _ = try await runner.perform(opening) })
            }
        }
    }

    @Test(arguments: [
        (#"{"seconds":1.5}"#, "arguments.unique.seconds must be a whole number."),
        ("[]", "arguments.unique must be an object."),
        (#"{"key":1}"#, "arguments.unique.key must be a string."),
        (#"{"until_ended":1}"#, "arguments.unique.until_ended must be true or false."),
        (#"{"until_ended":false}"#, "nothing would be unique"),
    ])
    func aUniqueKeyThatIsNoneIsRefusedByItsName(unique: String, sentence: String) async throws {
        let question = #"{"text":"How?","channel":"http"}"#
        let arguments = JSON(
            trusted: #"{"run":"\#(RunID.new())","agent":"echo","question":\#(question),"unique":\#(unique)}"#
        )
        let error = #expect(throws: ServiceError.self) {
            try Acceptance.check(arguments.decodeArguments(of: EnqueueRun.self))
        }
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }
}
