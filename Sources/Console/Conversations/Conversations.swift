import ArgumentParser
import Contract
import RPC
import Wire

/// `octavo conversations`.
struct Conversations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What was said to agents, one thing after the other.",
        discussion: """
              octavo conversations say "How do I request a day off?"
              octavo conversations say --in 6f1c… "And how do I cancel it?"
              octavo conversations show 6f1c…
              octavo conversations conduct documentation interrupt

            The history of a conversation is kept here: what is said is a text and the conversation's id, nothing else.
            """,
        subcommands: [ConversationsSay.self, ConversationsShow.self, ConversationsConduct.self]
    )
}

extension ConversationID {
    /// As somebody wrote it on the command line.
    init(argument: String) throws {
        guard let id = ConversationID(argument) else {
            throw Failure("A conversation's id is a UUID, not \"\(argument)\".")
        }
        self = id
    }
}

/// `octavo conversations say`.
struct ConversationsSay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "say",
        abstract: "Say something, and get the answer; without --in a conversation begins.",
        discussion: """
              octavo conversations say "How do I request a day off?"
              octavo conversations say --in 6f1c… --later "And how do I cancel it?"

            The conversation's id is written to standard error, the answer to standard output. With --later only the run's id is. It goes \
            on when storage is started again meanwhile.
            """
    )

    @Argument(help: "What is said.") var text: String
    @Option(name: .customLong("in"), help: ArgumentHelp("The conversation.", valueName: "conversation"))
    var conversation: String?
    @Option(help: "The agent.") var agent = Say.usualAgent
    @Option(help: "Who says it.") var reader: String?
    @Flag(help: "Do not wait for the answer.") var later = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let id = try conversation.map(ConversationID.init(argument:)) ?? ConversationID()
        let question = Question(text: text, reader: reader, channel: .terminal)
        let say = Say(conversation: id, agent: agent, question: question)
        let warning = agent == Say.usualAgent ? nil : await AgentsHere.asked(of: service)?.warning(about: agent)
        try await service.withService("storage") { storage in
            // The same text under the same id is said once.
            let said = try await Patience.repeating(for: .seconds(30)) { try await storage.perform(say) }
            if conversation == nil { Terminal.error.line("conversation \(id)") }
            if said.how == .merged { Terminal.error.line("added to a question that waits: run \(said.run)") }
            for ended in said.ended { Terminal.error.line("ended run \(ended.run)") }
            if let warning { Terminal.error.line("\(warning) Its run: \(said.run)") }
            if later { return Terminal.output.line("\(said.run)") }
            try await show(said.run, storage)
        }
    }

    private func show(_ run: RunID, _ storage: RPCClient) async throws {
        do {
            try await storage.events(of: run) { event in
                switch try RunEvent.known(event)?.body {
                case .approval(let notice): Terminal.error.line(notice.sentence)
                case .postponed(let postponement): Terminal.error.line("(\(postponement.sentence()))")
                case .finished(let outcome): AnswerView(terminal: .output).show(outcome)
                default: break
                }
            }
        } catch let error as ServiceError {
            let reason = Terminal.harmless(error.message)
            throw Failure("The answer broke off: \(reason) Its run is kept: octavo runs show \(run)")
        }
    }
}

/// `octavo conversations show`.
struct ConversationsShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "What was said and answered.")

    @Argument(help: "The conversation's id.") var conversation: String
    @Option(parsing: .unconditional, help: "How many of the latest turns, 1 to 100.") var limit = 20
    @Flag(help: "One JSON document, for scripts (protocol/storage.md).") var json = false
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let get = GetConversation(try ConversationID(argument: conversation), limit: limit)
        let found = try await service.withService("storage") { try await $0.json(get) }
        if json { return Terminal.output.line(found.description) }
        let out = Terminal.output
        for turn in try found.decode(GetConversation.Result.self).turns {
            let mark = turn.rolledBack == true ? " · taken back" : ""
            out.line(out.styled(Terminal.harmless(turn.question), .bold))
            out.line(out.styled("\(turn.run) · \(turn.state?.rawValue ?? "")\(mark)", .dim))
            if let answer = turn.answer { out.line(Terminal.harmless(answer)) }
            out.line()
        }
    }
}

/// `octavo conversations conduct`.
struct ConversationsConduct: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conduct",
        abstract: "What an agent does about a text that comes while it is at work on an earlier one.",
        discussion: """
              enqueue    answers it when the earlier ones are answered, as if nothing is said
              reject     refuses it
              interrupt  ends the earlier one where it is; it stays part of the history
              rollback   ends the earlier one and takes it back
              merge      adds it to an earlier one that has not begun, else answers it afterwards

            What is said here wins over `conversation` in the file of an agent. Without a conduct it is taken away.
            """
    )

    @Argument(help: "The agent.") var agent: String
    @Argument(help: "\(SetConduct.DoubleText.words).") var conduct: String?
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let doubleText = try conduct.map { word in
            guard let known = SetConduct.DoubleText(rawValue: word) else {
                throw Failure(
                    "There is no conduct \"\(Terminal.harmless(word))\". Which there are: octavo help conversations conduct"
                )
            }
            return known
        }
        let set = SetConduct(agent: agent, doubleText: doubleText)
        _ = try await service.withService("storage") { try await $0.perform(set) }
        if doubleText != nil { await service.warn(about: agent) }
    }
}
