import Testing

/// What a machine shows in which systemd is PID 1 and Octavo was installed by its own command.
@Suite(
    // One after the other: those that wait for the boot would take the places of all others.
    .serialized,
    .enabled(
        if: Boot.obstacle == nil,
        "LEFT OUT: Octavo was not installed into a machine booted by systemd, since \(Boot.obstacle ?? "")"
    )
)
struct BootTests {
    @Test func itBoots() async throws {
        _ = try await Boot.findings()
    }

    @Test(arguments: Boot.checks) func inABootedMachine(check: String) async throws {
        let findings = try? await Boot.findings()
        let finding = try #require(findings?[check], "it was not looked at: what came before it ended the boot")
        switch finding.state {
        case .holds: break
        case .fails: Issue.record("\(finding.said)")
        case .unproven:
            print("NOT PROVEN on this machine: \(check.split(separator: "_").joined(separator: " ")): \(finding.said)")
        }
    }

    @Test func everyCheckIsListed() {
        #expect(Boot.checks.count > 20)
    }
}
