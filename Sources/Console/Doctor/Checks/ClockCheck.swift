import Glibc

/// The clock is right: signatures and certificates of the world outside are judged by it.
struct ClockCheck: DoctorCheck {
    /// Before this Octavo was not written.
    private static let earliest = 1_767_225_600  // 2026-01-01

    let subject = "clock"

    func findings(on host: Host) async throws -> [Finding] {
        guard time(nil) >= Self.earliest else {
            return [wrong("it stands at a time before Octavo was written", mend: "timedatectl set-ntp true")]
        }
        guard let synchronized = try await host.ask("timedatectl", ["show", "--property=NTPSynchronized", "--value"])
        else {
            return unknown("timedatectl does not answer; that is usual in a container")
        }
        guard synchronized == "yes" else {
            return unknown("nobody says that it is synchronized: timedatectl set-ntp true, if this is no container")
        }
        return [Finding(subject: "the clock is synchronized")]
    }
}
