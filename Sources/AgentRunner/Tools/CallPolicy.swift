import AgentFiles
import Agents
import Contract
import FoundationEssentials

/// Which calls of an agent of a file a person has to approve, by what the file says and by what the run has read.
struct CallPolicy: Sendable {
    /// What `fetch` is called with.
    struct Fetch: Decodable {
        var address: String
    }

    let task: AgentFile.Instructed
    /// What people wrote down: an address in it may be fetched whatever was read.
    let written: String
    let taint: Taint

    /// The approval that a call needs; nil when it needs none.
    func demand(for call: ToolCall) -> BeginStep.Demand? {
        guard let tool = task.tools.first(where: { $0.callName == call.name }) else { return nil }
        if task.approval.contains(tool.description) {
            return BeginStep.Demand(seconds: task.approvalSeconds, why: "The agent's file says so.")
        }
        guard let source = taint.all.first, sends(tool, call.arguments) else { return nil }
        let why = "It sends data out, and the run has read what others wrote (by \(source))."
        return BeginStep.Demand(seconds: task.approvalSeconds, why: why)
    }

    /// Whether even what it says of a failure is written by others.
    func quotesOthers(_ call: ToolCall) -> Bool {
        switch task.tools.first(where: { $0.callName == call.name }) {
        case .mcp, .agent, .fetch: true
        case .search, .read, .list, nil: false
        }
    }

    /// Whether something leaves the run by this call.
    private func sends(_ tool: ToolName, _ arguments: String) -> Bool {
        switch tool {
        // Another agent has what was read from this one, and a policy of its own.
        case .search, .read, .list, .agent: return false
        // Once something was read, an address is a way to send it somewhere.
        case .fetch:
            let fetch = try? JSONDecoder().decode(Fetch.self, from: Data(arguments.utf8))
            return fetch.map { !written.contains($0.address) } ?? true
        case .mcp(let server, let name): return task.servers[server]?.readOnly.contains(name) != true
        }
    }
}

/// Has a person approve what the policy says, and keeps what the run has read in mind: also when it goes on elsewhere, where calls are
/// answered from what is stored.
struct PolicedJournal: RunJournal {
    /// Nil when nobody keeps what the run does: then nobody can be asked.
    let steps: Steps?
    let policy: CallPolicy

    func call(
        _ call: ToolCall,
        mayRepeat: Bool,
        _ perform: @Sendable () async throws -> ToolResult
    ) async throws -> ToolResult {
        let demand = policy.demand(for: call)
        let result: ToolResult
        if let steps {
            result = try await steps.call(call, mayRepeat: mayRepeat, approval: demand) {
                // All that it does in this process is done below.
                guard StepCall.current?.isAnswered != true else {
                    return ToolResult(callID: call.id, name: call.name, content: "")
                }
                return try await perform()
            }
        } else if let demand {
            let content =
                "\(call.name) needs a person's approval, and nobody can be asked. \(demand.why) Go on without it."
            return ToolResult(callID: call.id, name: call.name, content: content, isError: true)
        } else {
            result = try await perform()
        }
        if !result.isError || policy.quotesOthers(call) { policy.taint.read(by: call.name) }
        return result
    }
}
