internal import Contract
internal import Logging
internal import Wire

/// An operation that the reader of a connection answers itself, from values in memory: also while all work is stuck, and
/// without being counted as a call in flight.
struct Immediate: Sendable {
    var name: String
    var callers: Set<Role>
    var effect: Effect
    /// Nil for those of every service, which its server answers.
    var answer: (@Sendable (JSON) throws(ServiceError) -> JSON)?

    init<O: Operation>(_ operation: O.Type, _ answer: (@Sendable (JSON) throws(ServiceError) -> JSON)? = nil) {
        (name, callers, effect) = (O.name, O.callers, O.effect)
        self.answer = answer
    }

    /// Those of every service.
    static let ofEveryService = [
        Immediate(GetHealth.self), Immediate(Describe.self), Immediate(GetStats.self), Immediate(ListConnections.self),
        Immediate(ListCalls.self), Immediate(DrainService.self), Immediate(ResumeService.self),
    ]
}

extension ServerState {
    /// The answer of an operation of every service.
    func answer(_ operation: String) throws(ServiceError) -> JSON {
        do {
            switch operation {
            case GetHealth.name: return health()
            case Describe.name: return description
            case GetStats.name: return try JSON(encoding: stats())
            case ListConnections.name:
                return try JSON(encoding: ListConnections.Result(connections: ledger.connections))
            case ListCalls.name: return try JSON(encoding: ListCalls.Result(calls: ledger.calls))
            case DrainService.name:
                drain.set(true)
                tellAll(.rest)
                return try JSON(encoding: DrainService.Result(inFlight: callsInFlight))
            case ResumeService.name:
                drain.set(false)
                return try JSON(encoding: Done())
            default: throw ServiceError.unimplemented("There is no operation \(operation).")
            }
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .internal("What \(operation) has to say cannot be written.")
        }
    }

    /// The numbers of the service as of now.
    func stats() -> Stats {
        Stats(
            health: healthNow(),
            isDraining: drain.isOn,
            logLevel: logger.logLevel.rawValue,
            operations: ledger.operations,
            connections: ledger.connectionsByRole,
            violations: violations
        )
    }
}

extension ServiceEnd {
    /// Here on the event loop: it is answered while everything else hangs.
    func answerAtOnce(_ call: Message.Call) {
        let answer = Result { () throws(ServiceError) in try immediately(call) }
        let code = sendTerminal(call.id, answer, items: nil)
        state.ledger.answered(call.operation, code)
        guard role == .admin, let entry = state.operations.immediates[call.operation], !isAsking(entry) else { return }
        note(call, entry.effect, code)
    }

    /// Monitoring asks these all the time.
    private func isAsking(_ entry: Immediate) -> Bool { entry.name == GetHealth.name || entry.name == Describe.name }

    private func immediately(_ call: Message.Call) throws(ServiceError) -> JSON {
        guard let entry = state.operations.immediates[call.operation] else {
            throw .unimplemented("There is no operation \(call.operation).")
        }
        guard call.stream == nil else {
            throw .invalidArgument("\(call.operation) does not stream: call it without \"stream\".")
        }
        guard entry.callers.contains(role) else {
            throw .permissionDenied("\(call.operation) is not for \(role.rawValue).")
        }
        try confirm(call, entry.effect)
        guard let answer = entry.answer else { return try state.answer(call.operation) }
        return try answer(call.arguments)
    }

    /// Nobody changes how a service behaves while looking around.
    func confirm(_ call: Message.Call, _ effect: Effect) throws(ServiceError) {
        guard case .administers = effect, call.arguments.member("confirm")?.description != "true" else { return }
        throw .failedPrecondition(
            "\(call.operation) changes how \(state.operations.service) behaves: to mean it, call it with \"confirm\": true."
        )
    }

    /// Writes down what an administrator asked for, and who that was.
    func note(_ call: Message.Call, _ effect: Effect, _ code: ErrorCode? = nil) {
        var metadata: Logger.Metadata = [
            "operation": "\(call.operation)", "caller": "\(administrator)", "connection": "\(id)",
        ]
        if let trace = call.traceparent { metadata["trace_id"] = "\(trace.traceID)" }
        if let run = call.arguments.run { metadata["run_id"] = "\(run)" }
        if let code { metadata["error_code"] = "\(code.rawValue)" }
        // What it was told, which is a few words.
        if case .administers = effect { metadata["arguments"] = "\(call.arguments.description.prefix(200))" }
        let isReading = if case .reads = effect { true } else { false }
        let message: Logger.Message = "an administrator asked for \(call.operation)"
        state.logger.log(level: isReading ? .info : .notice, message, metadata: metadata)
    }
}
