import Glibc

/// A socket of Octavo's, as its unit has it.
struct SocketFile: Sendable {
    let name: String
    /// Who may connect.
    let group: String

    var path: String { "/run/octavo/\(name).sock" }
    var unit: String { "octavo-\(name).socket" }

    static let all = [
        SocketFile(name: "storage-gateway", group: "octavo-gateway"),
        SocketFile(name: "storage-agent-runner", group: "octavo-agent-runner"),
        SocketFile(name: "storage-admin", group: "octavo-admin"),
        SocketFile(name: "agent-runner-gateway", group: "octavo-gateway"),
        SocketFile(name: "agent-runner-admin", group: "octavo-admin"),
        SocketFile(name: "gateway-admin", group: "octavo-admin"),
    ]
}

/// Each socket can be opened by its group and nobody else.
struct SocketFilesCheck: DoctorCheck {
    let subject = "sockets"

    func findings(on host: Host) async throws -> [Finding] {
        var problems: [Finding] = []
        for socket in SocketFile.all {
            let mend = "systemctl restart \(socket.unit), which takes its service along; systemctl cat \(socket.unit)"
            var status = stat()
            guard stat(socket.path, &status) == 0 else {
                problems.append(wrong("there is no \(socket.path)", mend: "systemctl start octavo.target"))
                continue
            }
            let group = getgrgid(status.st_gid).map { String(cString: $0.pointee.gr_name) } ?? "\(status.st_gid)"
            let mode = status.st_mode & 0o777
            if status.st_uid != 0 || group != socket.group || mode != 0o660 {
                problems.append(
                    wrong(
                        "\(socket.path) is of the group \(group) with mode \(String(mode, radix: 8)), not \(socket.group) with 660",
                        mend: mend
                    )
                )
            }
        }
        return sum(problems, good: "each of \(SocketFile.all.count) sockets is open to its group and nobody else")
    }
}
