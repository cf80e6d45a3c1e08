import Daemon
import FoundationEssentials
import Glibc
import Systemd
import Testing

/// A real daemon in a process of its own, started as systemd would.
@Suite(.timeLimit(.minutes(10))) struct DaemonTests {
    /// The fixture with two sockets, a notify socket, and its standard error.
    private struct Running {
        let scratch: String
        let child: ChildProcess
        let inbox: DatagramInbox
        let errors: Output

        init(in scratch: String, _ environment: [String: String] = [:]) throws {
            self.scratch = scratch
            inbox = try DatagramInbox(at: "\(scratch)/notify")
            errors = try Output()
            let sockets = try ["gateway", "admin"].map {
                try ListenSocket.bindUnix(name: $0, path: "\(scratch)/\($0).sock")
            }
            defer { for socket in sockets { close(socket.descriptor) } }
            var launch = ChildProcess.Launch(path: probePath)
            launch.environment = ["PROBE_WORD": "hello", "NOTIFY_SOCKET": "\(scratch)/notify"]
            launch.environment.merge(environment) { $1 }
            launch.sockets = sockets
            launch.standardError = errors.writer
            child = try ChildProcess(launch)
        }

        func untilReady() async -> [String] {
            await inbox.texts { $0 == "STATUS=ready" }
        }
    }

    @Test func itServesTheSocketsItWasHandedAndTellsItsLifeInOrder() async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch)
            let starting = await daemon.untilReady()
            #expect(starting == ["STATUS=starting", "STATUS=starting; waiting for gateway", "READY=1", "STATUS=ready"])
            #expect(greeting(from: "\(scratch)/gateway.sock") == "gateway hello \(daemon.child.pid)\n")
            #expect(greeting(from: "\(scratch)/admin.sock") == "admin hello \(daemon.child.pid)\n")

            daemon.child.terminate()
            let stopping = await daemon.inbox.texts { $0.hasPrefix("STATUS=stopping") }
            #expect(
                stopping == [
                    "STOPPING=1", "EXTEND_TIMEOUT_USEC=40000000", "STATUS=stopping; draining for at most 30 s",
                ]
            )
            #expect(try await daemon.child.waitForExit() == .code(0))
            let log = await daemon.errors.text()
            #expect(log.contains("info activation-probe: listening at=\(scratch)/admin.sock socket=admin\n"))
            // The variables of the activation are gone: a child of the daemon must not believe that they are its own.
            #expect(log.contains("listen_variables=0"))
            #expect(log.hasSuffix("notice activation-probe: stopped\n"))
        }
    }

    @Test func aDrainThatTakesTooLongIsCutOff() async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch, ["PROBE_BEHAVIOUR": "slowDrain", "OCTAVO_DRAIN_SECONDS": "1"])
            _ = await daemon.untilReady()
            daemon.child.terminate()
            #expect(try await daemon.child.waitForExit() == .code(0))
            #expect(await daemon.errors.text().contains("warning activation-probe: drain took too long"))
        }
    }

    @Test func aSecondSignalEndsItAtOnceEvenWhenItsWorkIsStuck() async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch, ["PROBE_BEHAVIOUR": "stubborn", "OCTAVO_DRAIN_SECONDS": "3600"])
            _ = await daemon.untilReady()
            daemon.child.terminate()
            _ = await daemon.inbox.texts { $0.hasPrefix("STATUS=stopping") }
            daemon.child.terminate()
            #expect(try await daemon.child.waitForExit() == .signal(SIGTERM))
        }
    }

    @Test func anInterruptStopsItToo() async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch)
            _ = await daemon.untilReady()
            #expect(kill(daemon.child.pid, SIGINT) == 0)
            #expect(try await daemon.child.waitForExit() == .code(0))
        }
    }

    @Test func settingsAreReadAgainAndABadOneChangesNothing() async throws {
        try await withScratch { scratch in
            let file = "\(scratch)/settings"
            func set(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
            func hangUp(_ daemon: Running, until last: String) async -> [String] {
                kill(daemon.child.pid, SIGHUP)
                return await daemon.inbox.texts { $0 == last }
            }
            try set("# none yet\n")
            let daemon = try Running(in: scratch, ["OCTAVO_SETTINGS": file])
            _ = await daemon.untilReady()

            try set("PROBE_TONE='loud'\nPROBE_WORD=later\n")
            let reloading = await hangUp(daemon, until: "READY=1")
            #expect(reloading.first?.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") == true && reloading.count == 2)
            #expect(greeting(from: "\(scratch)/gateway.sock") == "gateway hello loud \(daemon.child.pid)\n")

            try set("PROBE_TONE=bad\nOCTAVO_LOG=debug\n")
            let status = "STATUS=probing; settings not taken: PROBE_TONE is bad."
            #expect(await hangUp(daemon, until: status).contains("READY=1"))
            #expect(greeting(from: "\(scratch)/gateway.sock") == "gateway hello loud \(daemon.child.pid)\n")

            try set("PROBE_TONE=\n")
            _ = await hangUp(daemon, until: "STATUS=probing")
            #expect(greeting(from: "\(scratch)/gateway.sock") == "gateway hello \(daemon.child.pid)\n")
            daemon.child.terminate()
            #expect(try await daemon.child.waitForExit() == .code(0))
            let log = await daemon.errors.text()
            #expect(log.contains("settings read again changed=PROBE_TONE need_restart=PROBE_WORD\n"), "\(log)")
            #expect(log.contains("error activation-probe: settings not taken; those before still count"), "\(log)")
            #expect(!log.contains("debug "))
        }
    }

    @Test func theWatchdogIsFed() async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch, ["WATCHDOG_USEC": "20000"])
            let said = await daemon.inbox.texts { $0 == "WATCHDOG=1" }
            #expect(said.last == "WATCHDOG=1")
            daemon.child.terminate()
            #expect(try await daemon.child.waitForExit() == .code(0))
        }
    }

    @Test func aStuckWorkLoopDoesNotFeedTheWatchdogAndStillStops() async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch, ["WATCHDOG_USEC": "2000", "PROBE_BEHAVIOUR": "stuckWatchdog"])
            _ = await daemon.untilReady()
            daemon.child.terminate()
            #expect(try await daemon.child.waitForExit() == .code(0))
            let said = await daemon.inbox.texts { $0.hasPrefix("STATUS=stopping") }
            #expect(!said.contains("WATCHDOG=1"))
        }
    }

    @Test(arguments: [
        (["PROBE_WORD": ""], "probe.word"),
        (["OCTAVO_LOG": "loud"], "OCTAVO_LOG is \"loud\"; it has to be one of trace, debug,"),
        (["OCTAVO_DRAIN_SECONDS": "soon"], "OCTAVO_DRAIN_SECONDS is \"soon\"; it has to be a number from 1 to 3600."),
        (["CREDENTIALS_DIRECTORY": "/nonexistent"], "The credentials directory /nonexistent cannot be read."),
    ])
    func badConfigurationIsOneSentenceAndExitCode78(environment: [String: String], sentence: String) async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch, environment)
            #expect(try await daemon.child.waitForExit() == .code(78))
            let said = await daemon.errors.text()
            #expect(said.hasPrefix("activation-probe: "))
            #expect(said.contains(sentence))
            #expect(said.split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: ["unknownError", "failingService"])
    func anyOtherErrorIsOneLineAndExitCode1(behaviour: String) async throws {
        try await withScratch { scratch in
            let daemon = try Running(in: scratch, ["PROBE_BEHAVIOUR": behaviour])
            #expect(try await daemon.child.waitForExit() == .code(1))
            let lines = await daemon.errors.text().split(separator: "\n")
            // The error's text holds a newline and a forged line; they stay inside.
            #expect(lines.last == "activation-probe: the composition broke\\nactivation-probe: a forged line")
        }
    }

    @Test func withoutItsSocketsItSaysHowItIsStarted() async throws {
        let errors = try Output()
        var launch = ChildProcess.Launch(path: probePath)
        // Variables that were meant for another process are not ours.
        launch.environment = ["LISTEN_PID": "1", "LISTEN_FDS": "1", "PROBE_WORD": "x"]
        launch.standardError = errors.writer
        let child = try ChildProcess(launch)
        #expect(try await child.waitForExit() == .code(78))
        let said = await errors.text()
        #expect(said.contains("was not passed the socket \"gateway\""))
        #expect(said.contains("octavo up"))
    }

    @Test func aSocketNobodyServesIsRefused() async throws {
        try await withScratch { scratch in
            let errors = try Output()
            var launch = ChildProcess.Launch(path: probePath)
            launch.environment = ["PROBE_WORD": "x"]
            launch.standardError = errors.writer
            launch.sockets = try ["gateway", "stranger"].map {
                try ListenSocket.bindUnix(name: $0, path: "\(scratch)/\($0)")
            }
            defer { for socket in launch.sockets { close(socket.descriptor) } }
            let child = try ChildProcess(launch)
            #expect(try await child.waitForExit() == .code(78))
            #expect(await errors.text().contains("was passed a socket named \"stranger\" (\(scratch)/stranger)"))
        }
    }

    @Test func aCredentialIsReadAndNeverShown() async throws {
        try await withScratch { scratch in
            try FileManager.default.createDirectory(atPath: "\(scratch)/keys", withIntermediateDirectories: false)
            try "s3cret-value\n".write(toFile: "\(scratch)/keys/probe-secret", atomically: false, encoding: .utf8)
            let daemon = try Running(in: scratch, ["CREDENTIALS_DIRECTORY": "\(scratch)/keys", "OCTAVO_LOG": "trace"])
            _ = await daemon.untilReady()
            daemon.child.terminate()
            #expect(try await daemon.child.waitForExit() == .code(0))
            let log = await daemon.errors.text()
            #expect(log.contains("secret_bytes=12"))
            #expect(!log.contains("s3cret"))
        }
    }

    @Test(arguments: [
        (["--help"], 0, "Sockets (FileDescriptorName=)\n  gateway  greets (required)\n"),
        (["--version"], 0, "activation-probe 1.0\n"), (["--port", "80"], 64, "it takes no arguments"),
        (["--help", "me"], 64, "it takes no arguments"),
    ])
    func argumentsAreHelpAndVersionOnly(arguments: [String], code: Int32, text: String) async throws {
        let output = try Output()
        var launch = ChildProcess.Launch(path: probePath)
        launch.arguments = arguments
        launch.standardOutput = output.writer
        launch.standardError = output.writer
        let child = try ChildProcess(launch)
        #expect(try await child.waitForExit() == .code(code))
        #expect(await output.text().contains(text))
    }

    private static let socketActivate = "/usr/bin/systemd-socket-activate"

    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-socket-activate"),
            "systemd-socket-activate is not on this machine (Debian: package systemd)"
        )
    )
    func systemdsOwnActivationWorksToo() async throws {
        try await withScratch { scratch in
            var launch = ChildProcess.Launch(path: Self.socketActivate)
            let paths = ["\(scratch)/one", "\(scratch)/two"]
            launch.arguments =
                paths.flatMap { ["-l", $0] } + ["--fdname=gateway:admin", "-E", "PROBE_WORD=hello", probePath]
            let errors = try Output()
            launch.standardError = errors.writer
            let child = try ChildProcess(launch)
            defer { child.kill() }
            // It announces each listener on standard error; the first connection starts the daemon.
            var answer: String?
            while answer == nil {
                answer = greeting(from: paths[1])
                if answer == nil { try await Task.sleep(for: .milliseconds(5)) }
            }
            #expect(answer == "admin hello \(child.pid)\n")
            #expect(greeting(from: paths[0]) == "gateway hello \(child.pid)\n")
            child.terminate()
            #expect(try await child.waitForExit() == .code(0))
            #expect(await errors.text().contains("activation-probe: stopped"))
        }
    }
}
