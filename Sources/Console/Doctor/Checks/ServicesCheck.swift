import ArgumentParser

/// Every service answers and is ready; migrations; versions: what `octavo run check` says.
struct ServicesCheck: DoctorCheck {
    let subject = "services"

    func findings(on host: Host) async throws -> [Finding] {
        try await Check.parse(["--run-folder", "/run/octavo"]).findings()
    }
}
