import Contract
import Daemon
import FoundationEssentials
import Glibc
package import RPC
import ServiceLifecycle
import Synchronization
import Wire

/// Carries out the commands that schedules begin, each as a process of its own: `octavo run COMMAND`. To storage it is a
/// runner that offers one agent, so leases, deadlines and cancelling are those of every run; but a command is not begun a second
/// time by itself, since nobody knows how far it came.
package final class CommandWorker: Service {
    /// So many at a time: one that takes long keeps no other waiting.
    private static let room = 4
    /// How long storage may be away before a command's end is given up: by then its lease is another's.
    private static let patience = Duration.seconds(30)
    /// What commands that are under way at a stop have for their end, and any that is stopped after SIGTERM.
    private static let grace = (drain: Duration.seconds(20), kill: Duration.seconds(5))

    /// A command that was leased to this worker.
    private struct Command {
        let attempt: Int
        var process: ChildProcess?
        /// Its lease is gone: what it comes to is told to nobody.
        var isStopped = false
    }

    private let storage: RPCClient
    private let program: String
    private let options: [String]
    private let told: @Sendable (String) -> Void
    private let runner = "commands-\(RunID.new())"
    private let commands = Mutex<[RunID: Command]>([:])
    private let leases: AsyncStream<ClaimRuns.Lease>
    private let leased: AsyncStream<ClaimRuns.Lease>.Continuation

    /// - Parameters:
    ///   - program: the path of `octavo`.
    ///   - options: what is added to every command, such as where the sockets are.
    ///   - told: hears of what went wrong.
    package init(
        storage: RPCClient,
        program: String,
        options: [String],
        told: @Sendable @escaping (String) -> Void = { _ in }
    ) {
        self.storage = storage
        self.program = program
        self.options = options
        self.told = told
        // Bounded by `room`, which storage holds to.
        (leases, leased) = AsyncStream.makeStream()
    }

    package func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await cancelWhenGracefulShutdown { await self.claim() }
                self.leased.finish()
                try? await Task.sleep(for: Self.grace.drain)
                for child in self.commands.withLock({ $0.values.compactMap(\.process) }) { child.terminate() }
            }
            await withDiscardingTaskGroup { work in
                for await lease in leases { work.addTask { await self.carryOut(lease) } }
            }
            group.cancelAll()
        }
    }

    private func claim() async {
        while !Task.isCancelled {
            do {
                let holding = commands.withLock { Array($0.keys) }
                let offer = ClaimRuns.Offer(agent: CommandRun.agent, provider: CommandRun.agent)
                let claim = ClaimRuns(runner: runner, offers: [offer], room: Self.room, holding: holding)
                for try await item in storage.stream(claim, deadline: .seconds(600)).items {
                    switch item {
                    case .lease(let lease):
                        commands.withLock { $0[lease.run] = Command(attempt: lease.attempt) }
                        leased.yield(lease)
                    case .stop(let stop): self.stop(stop)
                    }
                }
            } catch {
                try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
            }
        }
    }

    private func stop(_ stop: ClaimRuns.Stop) {
        let child = commands.withLock { commands in
            guard let command = commands[stop.run], command.attempt <= stop.attempt else { return nil as ChildProcess? }
            commands[stop.run]?.isStopped = true
            return command.process
        }
        child?.terminate()
    }

    private func isStopped(_ run: RunID) -> Bool {
        commands.withLock { $0[run]?.isStopped ?? false }
    }

    private func carryOut(_ lease: ClaimRuns.Lease) async {
        let outcome = await outcome(of: lease)
        defer { commands.withLock { $0[lease.run] = nil } }
        if isStopped(lease.run) { return }
        let event = RunEvent(sequence: lease.next, at: Self.now(), body: .finished(outcome))
        do {
            try await Patience.repeating(for: Self.patience) {
                _ = try await storage.perform(
                    AppendEvents(run: lease.run, runner: runner, attempt: lease.attempt, events: [event])
                )
            }
        } catch {
            told("What became of run \(lease.run) could not be stored: \(error)")
        }
        if let error = outcome.error { told("octavo run \(lease.question.text): \(error.message)") }
    }

    private func outcome(of lease: ClaimRuns.Lease) async -> Outcome {
        do {
            let output = try CommandOutput()
            var launch = ChildProcess.Launch(path: program)
            launch.arguments = ["run"] + CommandRun.words(lease.question.text) + options
            launch.environment = ProcessInfo.processInfo.environment
            launch.standardOutput = output.descriptor
            launch.standardError = output.descriptor
            launch.deathSignal = SIGKILL
            let child = try ChildProcess(launch)
            commands.withLock { $0[lease.run]?.process = child }
            // It may have been cancelled at this very moment.
            if isStopped(lease.run) { child.terminate() }
            let exit = try await end(of: child, lease.run)
            let answer = output.tail()
            guard exit != .code(0) else {
                return Outcome(state: .succeeded, answer: answer, supported: true, model: "")
            }
            let failure = Outcome.Failure(code: ErrorCode.internal.rawValue, message: "The command ended with \(exit).")
            return Outcome(state: .failed, answer: answer, error: failure, model: "")
        } catch {
            let failure = Outcome.Failure(
                code: ErrorCode.internal.rawValue,
                message: "It could not be started: \(error)"
            )
            return Outcome(state: .failed, error: failure, model: "")
        }
    }

    /// One that was told to stop, and does not, is killed.
    private func end(of child: ChildProcess, _ run: RunID) async throws -> ChildProcess.Exit {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !self.isStopped(run) { try await Task.sleep(for: .milliseconds(200)) }
                try await Task.sleep(for: Self.grace.kill)
                child.kill()
            }
            defer { group.cancelAll() }
            return try await child.waitForExit()
        }
    }

    private static func now() -> String {
        Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
