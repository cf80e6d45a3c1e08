import CSystemd
internal import Glibc
import Synchronization

/// The sockets systemd opened for this process, sd_listen_fds(3).
public enum ListenSockets {
    private static let taken = Mutex(false)

    /// Takes every socket that was passed, in the order of their descriptors. None when the process was not
    /// activated, or when `LISTEN_PID` names another process: then the variables were inherited by mistake.
    ///
    /// Call it first thing in `main`: it also removes the variables, and the environment may not change under other
    /// threads. Order between socket units is not defined by systemd and a name may come twice (one unit, two
    /// `ListenStream=`); so go by ``ListenSocket/name`` and decide there what a missing or unknown name means.
    ///
    /// - Throws: ``ListenSocketError/alreadyTaken`` at the second call, so that no descriptor has two owners.
    public static func take() throws(ListenSocketError) -> [ListenSocket] {
        let first = taken.withLock { taken in
            defer { taken = true }
            return !taken
        }
        guard first else { throw .alreadyTaken }

        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count >= 0 else { throw .malformedEnvironment(errno: -count) }
        defer { release(names, count: Int(count)) }

        var sockets: [ListenSocket] = []
        for index in 0..<Int(count) {
            let name = names?[index].map { String(cString: $0) } ?? "unknown"
            sockets.append(try ListenSocket(name: name, verifying: SD_LISTEN_FDS_START + Int32(index)))
        }
        return sockets
    }

    private static func release(_ names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, count: Int) {
        guard let names else { return }
        for index in 0..<count { free(names[index]) }
        free(names)
    }
}
