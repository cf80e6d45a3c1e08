import ArgumentParser
import Contract
import RPC
import Wire

/// A service, as it is named in commands.
enum ServiceName: String, CaseIterable, ExpressibleByArgument {
    case gateway
    case agentRunner = "agent-runner"
    case storage
}

/// What one service answered, or why it did not.
struct Answer<Value: Sendable>: Sendable {
    let service: ServiceName
    let result: Result<Value, Failure>
}

extension ServiceOptions {
    /// How long a service that hangs is waited for: what is asked here is answered from memory.
    static let patience = Duration.seconds(2)

    /// Asks several services at once; none waits for another.
    func ask<O: Operation>(_ services: [ServiceName], _ operation: O) async -> [Answer<JSON>] {
        await withTaskGroup(of: Answer<JSON>.self) { group in
            for name in services {
                group.addTask { await ask(name, operation) }
            }
            let answers = await group.reduce(into: []) { $0.append($1) }
            return services.compactMap { name in answers.first { $0.service == name } }
        }
    }

    private func ask<O: Operation>(_ name: ServiceName, _ operation: O) async -> Answer<JSON> {
        do {
            let answer = try await withService(name.rawValue) { try await $0.json(operation, deadline: Self.patience) }
            return Answer(service: name, result: .success(answer))
        } catch {
            return Answer(service: name, result: .failure(error as? Failure ?? Failure("\(error)")))
        }
    }

    /// Shows what services answered: one document by service for scripts, or as `show` has it for people, and those that did
    /// not answer on standard error.
    func show(
        _ answers: [Answer<JSON>],
        json: Bool,
        _ show: (ServiceName, JSON) throws -> Void
    ) throws {
        var members: [String] = []
        for answer in answers {
            switch answer.result {
            case .success(let value) where json: members.append("\"\(answer.service.rawValue)\":\(value)")
            case .success(let value): try show(answer.service, value)
            case .failure(let failure): Terminal.error.line("\(answer.service.rawValue): \(failure)")
            }
        }
        if json { Terminal.output.line("{\(members.joined(separator: ","))}") }
        if members.count < answers.count, answers.contains(where: { (try? $0.result.get()) == nil }) {
            throw ExitCode(1)
        }
    }
}

/// The services to ask: those that were named, or all.
struct ServiceNames: ParsableArguments {
    @Argument(
        help: ArgumentHelp("gateway, agent-runner or storage. (default: all three)", valueName: "service")
    )
    var names: [ServiceName] = []

    var all: [ServiceName] { names.isEmpty ? ServiceName.allCases : names }
}

/// Whether a change is meant.
struct Confirmation: ParsableArguments {
    @Flag(help: "Do it without asking, as in scripts.") var yes = false

    /// Returns when it is; asks whoever sits at the terminal.
    func obtain(_ what: String) throws {
        if yes { return }
        guard Terminal.error.isInteractive, Terminal(descriptor: 0).isInteractive else {
            throw Failure("\(what) To mean it, add --yes.")
        }
        Terminal.error.write("\(what) Go on? [y/N] ")
        guard let answer = readLine()?.lowercased(), answer == "y" || answer == "yes" else {
            throw Failure("Nothing was changed.")
        }
    }
}
