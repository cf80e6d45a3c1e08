import Contract
import Daemon
import Glibc

/// What was installed is all there, root's alone to change, and of one version.
struct FilesCheck: DoctorCheck {
    private static let again = "Install again from the checkout: sudo .build/release/octavo install"

    let subject = "files"

    func findings(on host: Host) async throws -> [Finding] {
        let installed = Files.installed(on: host)
        guard !installed.isEmpty else { return [wrong("the list of what was installed is gone", mend: Self.again)] }
        var problems: [Finding] = []
        for path in installed {
            var status = stat()
            if stat(path, &status) != 0 {
                problems.append(wrong("\(path) is gone", mend: Self.again))
            } else if status.st_uid != 0 || status.st_mode & 0o022 != 0 {
                problems.append(
                    wrong(
                        "\(path) can be changed by others than root",
                        mend: "chown root:root \(path); chmod go-w \(path)"
                    )
                )
            }
        }
        for service in Host.services {
            let program = "/usr/lib/octavo/\(service)"
            guard access(program, X_OK) == 0 else { continue }
            var launch = ChildProcess.Launch(path: program)
            launch.arguments = ["--version"]
            let output = try await ProgramOutput(of: launch)
            let version = output.text.trimmed
            if version != "\(service) \(octavoVersion)" {
                let found = version.isEmpty ? "does not run: \(output.said)" : "says \(version)"
                problems.append(wrong("\(program) \(found), and this is octavo \(octavoVersion)", mend: Self.again))
            }
        }
        return sum(problems, good: "all \(installed.count) files are there, of version \(octavoVersion)")
    }
}
