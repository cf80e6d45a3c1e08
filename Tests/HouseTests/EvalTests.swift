import Daemon
import FoundationEssentials
import ScriptedProvider
import TestSupport
import Testing
import Wire

/// Agents tried out on files of cases.
@Suite(.serialized) struct EvalTests {
    private static let agents = [
        "judge": """
        instructions: Judge.
        output: {type: object, required: [pass, reason], properties: {pass: {type: boolean}, reason: {type: string}}}
        """,
        "triage": "classify: {categories: {billing: Invoices and payments., fault: Something is broken.}}",
    ]

    private func evaluation(supported: Bool) -> String {
        """
        agent: documentation
        cases:
          - name: day off
            input: How do I request a day off?
            expect: {contains: [two WEEKS before], supported: \(supported), seconds: 60, tokens: 0}
          - name: world cup
            input: Who won the world cup in 1954?
            expect: {supported: false, equals: The documentation does not answer this question.}
        """
    }

    @Test func casesAreTriedKeptAndComparedWithTheLastTime() async throws {
        let folder = "/tmp/octavo-eval-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/docs.yaml"
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            try await house.importBook("Handbook", handbook)
            try evaluation(supported: true).write(toFile: path, atomically: true, encoding: .utf8)
            let first = try await house.octavo(["eval", path])
            #expect(first.exit == .code(0), "\(first)")
            #expect(
                first.text.contains("passed  day off\n") && first.text.contains("2 of 2 passed; 0 tokens"),
                "\(first)"
            )

            try evaluation(supported: false).write(toFile: path, atomically: true, encoding: .utf8)
            let second = try await house.octavo(["eval", path, "--at-once", "1"])
            #expect(second.exit == .code(1))
            #expect(second.text.contains("failed  day off  (passed the last time)"), "\(second)")
            #expect(second.text.contains("the documentation supports it"))
            let kept = try #require(FileManager.default.contents(atPath: path + ".results.json"))
            let results = try JSON(validating: String(decoding: kept, as: UTF8.self).split(separator: "\n").joined())
            #expect(results.member("cases")?.elements?.count == 2)

            try "agent: a\ncases: 7".write(toFile: path, atomically: true, encoding: .utf8)
            let wrong = try await house.octavo(["eval", path])
            #expect(wrong.errors.contains("docs.yaml:2:1: must be a list, not a number"), "\(wrong)")
        }
    }

    @Test func anAgentCanBeTheJudge() async throws {
        let folder = "/tmp/octavo-eval-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in Self.agents {
            try text.write(toFile: "\(folder)/\(name).yaml", atomically: true, encoding: .utf8)
        }
        let verdict = #"{"pass":false,"reason":"It is rude."}"#
        let label = #"{"labels":[{"category":"billing","confidence":0.9}]}"#
        let answers: @Sendable (RecordedRequest, Int) -> Answer = { request, _ in
            request.body.contains("You sort texts")
                ? .calls(ScriptedCall(id: "1", name: "labels", arguments: label))
                : .calls(ScriptedCall(id: "1", name: "answer", arguments: verdict))
        }
        try await ScriptedProvider.withServer(answering: answers) { provider in
            let settings = [
                "OCTAVO_AGENTS": folder, "OPENAI_BASE_URL": provider.url, "OCTAVO_MODEL": "scripted",
            ]
            try await TestHouse.run(database: TestDatabase.make(), settings: settings) { house in
                try await house.waitUntilReady()
                let path = folder + "/eval"
                let text = """
                    agent: triage
                    cases:
                      - name: polite
                        input: Pay me.
                        expect: {equals: {labels: [{confidence: 0.90, category: billing}]}, judge: {agent: judge, claim: It is polite.}}
                    """
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                let output = try await house.octavo(["eval", path])
                #expect(output.text.contains("judge: It is rude."), "\(output)\(house.log.suffix(2_000))")
                #expect(!output.text.contains("is not {"), "\(output)")
            }
        }
    }
}
