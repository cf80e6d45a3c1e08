import FoundationEssentials
import Glibc

// The data directory: made once, whole or not at all.
extension PrivateCluster {
    /// Data that are there are complete: they are made elsewhere and moved here at the end.
    var hasData: Bool { access(data + "/PG_VERSION", F_OK) == 0 }

    /// Makes the data under a name that nobody else uses: the initdb of an owner that was killed may still be at work.
    func initialize() async throws(PrivateClusterError) {
        for leftover in entries(of: directory) where leftover.hasPrefix("data.new-") {
            removeTree("\(directory)/\(leftover)")
        }
        let draft = "\(directory)/data.new-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        var arguments = ["--pgdata", draft, "--username", role, "--encoding", "UTF8", "--locale", "C.UTF-8"]
        // Checksums find a bad disk; a temporary cluster need not survive one.
        arguments += isTemporary ? ["--auth", "trust", "--no-sync"] : ["--auth", "peer", "--data-checksums"]
        do throws(PrivateClusterError) {
            try await run("initdb", arguments)
        } catch {
            removeTree(draft)
            throw error
        }
        guard rename(draft, data) == 0 else {
            let reason = String(cString: strerror(errno))
            removeTree(draft)
            throw .directoryUnusable(data, reason: "\(reason); move away what is there")
        }
    }

    /// Peer authentication: the kernel says who connects, and the map says whom that may be here. Written at every start,
    /// since another user may have become the owner's successor.
    func writeAccessRules() throws(PrivateClusterError) {
        let users = Set([Account.current.name, "root", account.name]).sorted()
        try account.write("local all all peer map=octavo\n", to: data + "/pg_hba.conf")
        try account.write(
            users.map { "octavo \"\($0)\" \"\(role)\"\n" }.joined(),
            to: data + "/pg_ident.conf"
        )
    }
}
