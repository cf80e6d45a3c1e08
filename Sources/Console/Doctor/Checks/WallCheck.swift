/// Whether this machine's kernel keeps the agent runner out of the house: `IPAddressDeny=` needs it to filter by unit, which
/// some containers and old cgroup trees do not let it, and then systemd says nothing.
struct WallCheck: DoctorCheck {
    let subject = "agent runner's wall"

    func findings(on host: Host) async throws -> [Finding] {
        guard Self.isRoot else { return unknown(Self.onlyRoot) }
        let listen = try await host.property("Listen", of: "octavo-gateway-http.socket")
        guard let address = listen.split(separator: " ").first, address.hasPrefix("127.0.0.1:") else {
            return unknown("there is no address on loopback to try it on")
        }
        let connect = "exec 3<>/dev/tcp/127.0.0.1/\(address.dropFirst("127.0.0.1:".count))"
        func reaches(_ properties: [String]) async throws -> Bool {
            let unit = ["--quiet", "--wait", "--collect", "--property=DynamicUser=yes"] + properties
            let output = try await host.output(
                of: "systemd-run",
                unit + ["/usr/bin/timeout", "2", "/bin/bash", "-c", connect]
            )
            return output.succeeded
        }
        guard try await reaches([]) else { return unknown("\(address) cannot be reached even without a wall") }
        guard try await reaches(["--property=IPAddressDeny=any"]) else {
            return [Finding(subject: "the kernel keeps the agent runner out of private networks")]
        }
        return [
            wrong(
                "this kernel does not apply IPAddressDeny=, so the agent runner could reach private addresses",
                mend:
                    "Boot with a cgroup tree of version 2 (systemd.unified_cgroup_hierarchy=1); in a container, allow bpf(2)."
            )
        ]
    }
}
