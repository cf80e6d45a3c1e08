import AgentFiles
import Agents
import Contract
import FoundationEssentials
import Glibc
import Wire

/// One run of all cases of a file.
struct Evaluation: Sendable {
    let file: EvaluationFile
    let asking: Asking

    /// The results in the order of the file. `onEnd` is told how many are done, and of the last.
    func run(
        atOnce: Int,
        onEnd: (_ done: Int, EvaluationResults.Case) -> Void
    ) async -> EvaluationResults {
        var results: [Int: EvaluationResults.Case] = [:]
        await withTaskGroup(of: Numbered.self) { group in
            var waiting = Array(file.cases.enumerated())[...]
            for _ in 0..<atOnce { start(&waiting, in: &group) }
            for await ended in group {
                results[ended.index] = ended.result
                onEnd(results.count, ended.result)
                start(&waiting, in: &group)
            }
        }
        return EvaluationResults(agent: file.agent, cases: file.cases.indices.compactMap { results[$0] })
    }

    private struct Numbered: Sendable {
        var index: Int
        var result: EvaluationResults.Case
    }

    private func start(
        _ waiting: inout ArraySlice<(offset: Int, element: EvaluationFile.Case)>,
        in group: inout TaskGroup<Numbered>
    ) {
        guard let next = waiting.popFirst() else { return }
        group.addTask { Numbered(index: next.offset, result: await result(of: next.element)) }
    }

    private func result(of evaluated: EvaluationFile.Case) async -> EvaluationResults.Case {
        var result = EvaluationResults.Case(name: evaluated.name)
        let run = RunID.new()
        let start = ContinuousClock.now
        let outcome: Outcome
        do {
            let document = try await asking.document(evaluated.input, agent: file.agent, as: run)
            result.milliseconds = (ContinuousClock.now - start).inMilliseconds
            outcome = try finished(JSON(validating: document))
        } catch {
            result.milliseconds = (ContinuousClock.now - start).inMilliseconds
            result.failures.append("\(error)")
            // What has failed was paid for as well.
            if let failed = try? await asking.outcome(of: run) { result.count(failed, of: run) }
            return result
        }
        result.count(outcome, of: run)
        do {
            for expectation in evaluated.expectations {
                if let failure = try await failure(of: expectation, outcome, result) { result.failures.append(failure) }
            }
        } catch {
            result.failures.append("\(error)")
        }
        return result
    }

    private func finished(_ answer: JSON) throws -> Outcome {
        guard answer.member("approval") == nil else {
            throw Failure("The run waits until a person has approved a call of a tool: octavo approvals")
        }
        return try answer.decode(Outcome.self)
    }

    /// What is not as it was expected; nil when all is.
    private func failure(
        of expectation: EvaluationFile.Expectation,
        _ outcome: Outcome,
        _ result: EvaluationResults.Case
    ) async throws -> String? {
        switch expectation {
        case .judge(let agent, let claim): return try await judgement(by: agent, claim, outcome)
        case .seconds(let seconds):
            return Double(result.milliseconds) <= seconds * 1000
                ? nil : "took \(result.milliseconds) ms, not \(seconds) s"
        case .tokens(let tokens): return result.tokens <= tokens ? nil : "used \(result.tokens) tokens, not \(tokens)"
        case .dollars(let dollars):
            guard let cost = result.dollars else { return "nobody knows the price of \(outcome.model)" }
            return cost <= dollars ? nil : "cost $\(cost), not $\(dollars)"
        case .supported(let isExpected):
            guard outcome.supported == isExpected else {
                return isExpected ? "the documentation does not support it" : "the documentation supports it"
            }
            return nil
        case .contains(let words):
            let text = outcome.answer ?? outcome.output?.description ?? ""
            return text.lowercased().contains(words.lowercased())
                ? nil : "does not hold \"\(words)\": \(text.prefix(200))"
        case .equals(let value): return failure(ofEqual: value, outcome)
        case .schema(let schema):
            let output = JSONValue(text: outcome.output?.description ?? "null") ?? .null
            return try SchemaValidator(schema).validate(output).first.map(\.description)
        }
    }

    /// Values are equal as JSON Schema says: 1.0 is 1, and the order of members says nothing.
    private func failure(ofEqual value: JSONValue, _ outcome: Outcome) -> String? {
        let given = outcome.output.flatMap { JSONValue(text: $0.description) } ?? .string(outcome.answer ?? "")
        guard let validator = try? SchemaValidator(["const": value]), validator.validate(given).isEmpty else {
            return "is not \(value.text.prefix(200)) but \(given.text.prefix(200))"
        }
        return nil
    }

    /// A judge is an agent with an output `{"pass": …, "reason": …}`.
    private func judgement(by agent: String, _ claim: String, _ outcome: Outcome) async throws -> String? {
        let answer = outcome.output?.description ?? outcome.answer ?? ""
        let input = "Is this true of the answer below? \(claim)\n\nThe answer:\n\(answer)"
        let judged = try finished(JSON(validating: try await asking.document(input, agent: agent)))
        guard let passed = judged.output?.member("pass")?.bool else {
            return "the judge \(agent) gave no output with \"pass\""
        }
        return passed ? nil : "\(agent): \(judged.output?.member("reason")?.string ?? "no")"
    }
}

/// What came of an evaluation, as it is kept.
struct EvaluationResults: Codable, Sendable {
    /// One case.
    struct Case: Codable, Sendable {
        var name: String
        /// What was not as expected; empty when it passed.
        var failures: [String] = []
        var milliseconds = 0
        var tokens = 0
        /// Whether some of them are estimated, since the provider does not count; nil where none is.
        var estimated: Bool?
        /// Nil when nobody knows the price of the model.
        var microdollars: Int? = 0
        var run: String?

        mutating func count(_ outcome: Outcome, of run: RunID) {
            self.run = "\(run)"
            tokens = outcome.usage.inputTokens + outcome.usage.outputTokens
            estimated = outcome.usage.estimated
            microdollars = outcome.usage.requests == 0 ? 0 : outcome.usage.microdollars
        }

        var dollars: Double? { microdollars.map { Double($0) / 1_000_000 } }
    }

    var agent: String
    var cases: [Case]

    /// Nil when one of them is not known.
    var dollars: Double? {
        let costs = cases.map(\.microdollars)
        return costs.contains(nil) ? nil : Double(costs.compactMap(\.self).reduce(0, +)) / 1_000_000
    }
    var slowest: Int { cases.map(\.milliseconds).max() ?? 0 }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The file they are kept in.
    struct Kept {
        let path: String

        /// Those of the last time; nil when there are none that can be read.
        func read() -> EvaluationResults? {
            FileManager.default.contents(atPath: path).flatMap {
                try? JSONDecoder().decode(EvaluationResults.self, from: $0)
            }
        }

        func write(_ results: EvaluationResults) throws {
            do {
                try Data((try results.text() + "\n").utf8).write(to: URL(filePath: path), options: .atomic)
            } catch {
                throw Failure("The results cannot be kept in \(path).")
            }
        }
    }
}

extension Duration {
    fileprivate var inMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
