import AgentFiles
import ArgumentParser
import FoundationEssentials

/// `octavo eval`.
struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Try an agent out on a file of cases, and compare with the last time.",
        discussion: """
              octavo eval triage.eval.yaml

            A file says whom to ask what, and what is expected:

              agent: triage
              cases:
                - name: invoice
                  input: The invoice of May is missing.
                  expect: {contains: billing, seconds: 5, tokens: 2000}

            equals, contains, schema, supported, seconds, tokens, dollars and judge ({agent, claim}) can be expected. The results are kept \
            beside the file, in FILE.results.json. The exit code is 1 when a case has failed.
            """
    )

    @Argument(help: "The file of cases.") var file: String
    @Option(parsing: .unconditional, help: "How many cases at once, 1 to 64.") var atOnce = 4
    @Option(
        help: ArgumentHelp(
            "The gateway's address. (default: OCTAVO_URL, else \(Asking.usualURL))",
            valueName: "address"
        )
    )
    var url: String?
    @Flag(help: "The results as one JSON document, for scripts.") var json = false

    func validate() throws {
        guard (1...64).contains(atOnce) else { throw ValidationError("--at-once takes a number from 1 to 64.") }
    }

    func run() async throws {
        let evaluation = try read()
        let asking = try Asking(url: url ?? environment("OCTAVO_URL") ?? Asking.usualURL)
        let kept = EvaluationResults.Kept(path: file + ".results.json")
        let last = kept.read()
        let results = await Evaluation(file: evaluation, asking: asking).run(atOnce: atOnce) { done, result in
            Terminal.error.progress("\(done) of \(evaluation.cases.count)  \(Terminal.harmless(result.name))")
        }
        Terminal.error.clearProgress()
        try kept.write(results)
        if json {
            Terminal.output.line(try results.text())
        } else {
            show(results, since: last)
        }
        if results.cases.contains(where: { !$0.failures.isEmpty }) { throw ExitCode(1) }
    }

    private func read() throws -> EvaluationFile {
        guard let bytes = FileManager.default.contents(atPath: file),
            let text = String(validating: bytes, as: UTF8.self)
        else { throw Failure("\(file) cannot be read, or is not UTF-8.") }
        do {
            return try EvaluationFile(text, file: file)
        } catch {
            throw Failure(Terminal.harmless("\(error)"))
        }
    }

    private func show(_ results: EvaluationResults, since last: EvaluationResults?) {
        let out = Terminal.output
        for result in results.cases {
            let mark = result.failures.isEmpty ? out.styled("passed", .green) : out.styled("failed", .red)
            out.line("\(mark)  \(Terminal.harmless(result.name))\(change(of: result, since: last))")
            for failure in result.failures { out.line("        \(Terminal.harmless(failure))") }
        }
        let passed = results.cases.count { $0.failures.isEmpty }
        let tokens = results.cases.reduce(0) { $0 + $1.tokens }
        let estimated = results.cases.contains { $0.estimated == true } ? " (estimated)" : ""
        let cost = results.dollars.map { $0 > 0 ? "; $\($0)" : "" } ?? "; nobody knows the price"
        out.line(
            "\(passed) of \(results.cases.count) passed; \(tokens) tokens\(estimated)\(cost); "
                + "the slowest took \(results.slowest) ms"
        )
    }

    private func change(of result: EvaluationResults.Case, since last: EvaluationResults?) -> String {
        guard let before = last?.cases.first(where: { $0.name == result.name }) else {
            return last == nil ? "" : "  (new)"
        }
        switch (before.failures.isEmpty, result.failures.isEmpty) {
        case (true, false): return "  (passed the last time)"
        case (false, true): return "  (failed the last time)"
        default: return ""
        }
    }
}
