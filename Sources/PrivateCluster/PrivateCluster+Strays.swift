import CLinux
import FoundationEssentials
import Glibc

// What a server leaves behind that did not end in order: itself, when its owner was killed and its watchdog is still at
// work; its backends, when it was killed itself. They hold the shared memory, and no new server starts before they end.
extension PrivateCluster {
    /// Ends them. Whoever calls holds the directory, so no other owner is alive.
    ///
    /// Throws `alreadyRunning` when the server is one that somebody started by hand on these data.
    func endStrays() async throws(PrivateClusterError) {
        guard !strays().isEmpty else { return removeStaleLockFile() }
        // Somebody who repairs the data by hand (postgres --single) has a minus before the number.
        let number = postmasterFile(line: 0).flatMap { pid_t($0) } ?? 0
        if strays().contains(abs(number)) {
            guard number > 0, await isOwn(number) else {
                throw .alreadyRunning(directory: directory, processID: abs(number))
            }
            send(SIGINT, to: number)
            send(SIGCONT, to: number)
            await waitUntilGone(.seconds(10)) { $0 == number }
        }
        // Without a server there is nobody whom their sudden end could disturb; a backend may be deep in a long query,
        // or stopped, and hear of nothing else.
        for stray in strays() { send(SIGKILL, to: stray) }
        await waitUntilGone(.seconds(10)) { _ in true }
        if let stray = strays().first { throw .alreadyRunning(directory: directory, processID: stray) }
        removeStaleLockFile()
    }

    /// Whether a server is one that this class has started: it has its socket here. It says so a moment after its start.
    private func isOwn(_ postmaster: pid_t) async -> Bool {
        let end = ContinuousClock.now + .seconds(2)
        while postmasterFile(line: 4)?.isEmpty ?? true, ContinuousClock.now < end, isStray(postmaster) { await pause() }
        return !isStray(postmaster) || postmasterFile(line: 4).map { isSameFile($0, directory) } ?? false
    }

    private func waitUntilGone(_ patience: Duration, _ isMeant: (pid_t) -> Bool) async {
        let end = ContinuousClock.now + patience
        while strays().contains(where: isMeant), ContinuousClock.now < end, !Task.isCancelled { await pause() }
    }

    /// Postgres takes a lock file for valid when its process id lives, and after a crash of the machine that number may
    /// be any program's.
    private func removeStaleLockFile() {
        guard let process = postmasterFile(line: 0).flatMap({ pid_t($0) }), process > 0, kill(process, 0) == 0 else {
            return
        }
        unlink(data + "/postmaster.pid")
    }

    /// Through a descriptor, and only when it still is what was found: its number may be another's by now.
    private func send(_ signal: Int32, to process: pid_t) {
        let descriptor = octavo_pidfd_open(process)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if isStray(process) { _ = octavo_pidfd_signal(descriptor, signal) }
    }

    /// The processes of a server on these data: each of them works in the data directory.
    func strays() -> [pid_t] {
        entries(of: "/proc").compactMap { pid_t($0) }.filter(isStray)
    }

    private func isStray(_ process: pid_t) -> Bool {
        guard isSameFile("/proc/\(process)/cwd", data) else { return false }
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe") else {
            return false
        }
        // "(deleted)" after an upgrade.
        return program.hasSuffix("/postgres") || program.hasSuffix("/postgres (deleted)")
    }
}

/// Whether two paths lead to the same file.
private func isSameFile(_ one: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    guard stat(one, &first) == 0, stat(other, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
}

/// Holds a cluster's directory for this process, until it is released. The kernel lets go of it when the process ends,
/// however that happens.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Nil when somebody else holds it.
    init?(_ directory: String) {
        descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit {
        // Closing would not do: a child that was forked this moment has a copy until its execve(2).
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
