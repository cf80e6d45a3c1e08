import Daemon
import Dispatch
import FoundationEssentials
import Glibc
import Systemd
import Testing

@Suite(.timeLimit(.minutes(10))) struct ChildProcessTests {
    @Test func theExitCodeArrivesForEveryoneWhoWaits() async throws {
        let child = try ChildProcess(.shell("exit 7"))
        async let first = child.waitForExit()
        async let second = child.waitForExit()
        #expect(try await first == .code(7))
        #expect(try await second == .code(7))
        #expect(try await child.waitForExit() == .code(7))
    }

    @Test func aChildThatHasEndedIsLeftInPeace() async throws {
        let child = try ChildProcess(.shell("exec sleep 3600"))
        child.terminate()
        #expect(try await child.waitForExit() == .signal(SIGTERM))
        child.terminate()
        child.kill()
        #expect(ChildProcess.Exit.signal(SIGTERM).description == "signal 15 (Terminated)")
    }

    @Test func noSignalIsBlockedOrIgnoredInTheChild() async throws {
        signal(SIGPIPE, SIG_IGN)
        let output = try Output()
        let child = try ChildProcess(.shell("exec grep -E 'SigBlk|SigIgn' /proc/self/status", output: output))
        #expect(try await child.waitForExit() == .code(0))
        let said = await output.text()
        #expect(said == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
    }

    @Test func nothingIsInheritedButWhatIsHandedOver() async throws {
        let output = try Output()
        // Without close-on-exec on purpose: the child must not see it all the same.
        let leak = dup(output.writer)
        _ = fcntl(leak, F_SETFD, 0)
        let child = try ChildProcess(.shell("ls /proc/self/fd; env; cat", output: output))
        #expect(try await child.waitForExit() == .code(0))
        close(leak)
        // 3 is the directory that ls itself reads.
        #expect(await output.text() == "0\n1\n2\n3\nPATH=/usr/bin:/bin\nPWD=\(currentDirectory())\n")
    }

    @Test func socketsAreHandedOverInOrderEvenWhenTheirNumbersCross() async throws {
        try await withScratch { scratch in
            let sockets = try ["a", "b", "c"].map { try ListenSocket.bindUnix(name: $0, path: "\(scratch)/\($0)") }
            defer { for socket in sockets { close(socket.descriptor) } }
            let output = try Output()
            var launch = ChildProcess.Launch.shell(
                "echo $LISTEN_FDS $LISTEN_FDNAMES; test $LISTEN_PID = $$ && echo mine;"
                    + "for fd in 3 4 5; do readlink /proc/self/fd/$fd; done",
                output: output
            )
            launch.sockets = Array(sockets.reversed())
            let child = try ChildProcess(launch)
            #expect(try await child.waitForExit() == .code(0))
            let inodes = sockets.reversed().map { socket in
                var status = stat()
                fstat(socket.descriptor, &status)
                return "socket:[\(status.st_ino)]"
            }
            #expect(await output.text() == "3 c:b:a\nmine\n" + inodes.joined(separator: "\n") + "\n")
        }
    }

    @Test func aProgramThatIsNotThereIsASentence() throws {
        let error = #expect(throws: ChildProcessError.self) { try ChildProcess(.init(path: "/nonexistent")) }
        #expect(
            error?.description == "/nonexistent could not be started: execve: No such file or directory."
        )
        #expect(error?.errno == ENOENT)
    }

    @Test func aDirectoryThatIsNotThereIsASentence() throws {
        var launch = ChildProcess.Launch.shell("true")
        launch.directory = "/nonexistent"
        let error = #expect(throws: ChildProcessError.self) { try ChildProcess(launch) }
        #expect(error?.description.contains("changing to its directory: No such file") == true)
    }

    @Test func aNulByteAndANameWithAColonAreRefused() async throws {
        var launch = ChildProcess.Launch.shell("true")
        launch.environment["KEY"] = "a\0b"
        #expect(throws: ChildProcessError.self) { try ChildProcess(launch) }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        listen(descriptor, 1)
        launch = .shell("true")
        launch.sockets = [try ListenSocket(name: "a:b", verifying: descriptor)]
        #expect(throws: ChildProcessError.self) { try ChildProcess(launch) }
    }

    @Test func theChildHasItsOwnProcessGroup() async throws {
        let child = try ChildProcess(.shell("exec sleep 3600"))
        #expect(getpgid(child.pid) == child.pid)
        child.kill()
        #expect(try await child.waitForExit() == .signal(SIGKILL))
    }

    @Test(.enabled(if: geteuid() == 0, "only root may give a child another identity"))
    func theChildHasTheIdentityItWasGivenAndNoOther() async throws {
        let output = try Output()
        var launch = ChildProcess.Launch.shell("id -u; id -G; exec grep -E 'CapEff' /proc/self/status", output: output)
        launch.identity = .init(user: 65534, group: 65534, supplementaryGroups: [4242, 4243])
        let child = try ChildProcess(launch)
        #expect(try await child.waitForExit() == .code(0))
        #expect(await output.text() == "65534\n65534 4242 4243\nCapEff:\t0000000000000000\n")
    }

    @Test func theKernelEndsTheChildWhenItsParentIsKilled() async throws {
        // The fixture is the parent here: it starts a child of its own and kills itself.
        let output = try Output()
        var launch = ChildProcess.Launch(path: probePath)
        launch.environment = ["PROBE_WORD": "x", "PROBE_BEHAVIOUR": "spawnAndDie"]
        launch.standardOutput = output.writer
        try await withScratch { scratch in
            let socket = try ListenSocket.bindUnix(name: "gateway", path: "\(scratch)/gateway")
            defer { close(socket.descriptor) }
            launch.sockets = [socket]
            let child = try ChildProcess(launch)
            #expect(try await child.waitForExit() == .signal(SIGKILL))
        }
        // The grandchild holds the other end of the pipe: the text ends when it does.
        #expect(await output.text().hasPrefix("grandchild "))
    }

    @Test func aChildOutlivesTheThreadThatAskedForIt() async throws {
        // The death signal belongs to the thread that forks. Here that thread ends at once.
        let child = try await withCheckedThrowingContinuation { continuation in
            Thread.once {
                var launch = ChildProcess.Launch.shell("exec sleep 3600")
                launch.deathSignal = SIGKILL
                continuation.resume(with: Result { [launch] in try ChildProcess(launch) })
            }
        }
        let waiting = Task { try await child.waitForExit() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        child.terminate()
        #expect(try await child.waitForExit() == .signal(SIGTERM))
    }

    private func currentDirectory() -> String {
        FileManager.default.currentDirectoryPath
    }
}

private enum Thread {
    /// Runs `body` on a thread of its own, which has ended when this returns.
    static func once(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body))
        let started = pthread_create(
            &thread,
            nil,
            { pointer in
                pointer.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() }
                return nil
            },
            box.toOpaque()
        )
        precondition(started == 0)
        pthread_join(thread, nil)
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
