import FoundationEssentials
import Glibc
import Postgres
import Testing

@testable import PrivateCluster

@Suite(.serialized, .timeLimit(.minutes(5))) struct PrivateClusterTests {
    /// A directory below /tmp that the server's account can reach.
    private func directory() throws -> String {
        let path = "/tmp/octavo-persistent-\(UUID())/state/postgres"
        return path
    }

    private func remove(_ directory: String) throws {
        try FileManager.default.removeItem(atPath: String(directory.dropLast("/state/postgres".count)))
    }

    @Test func aPersistentOneKeepsItsDataAndLetsItsUserIn() async throws {
        let directory = try directory()
        defer { try? remove(directory) }
        for round in 1...2 {
            let cluster = try await PrivateCluster.persistent(at: directory, role: "octavo")
            let configuration = try patient(PostgresConfiguration(cluster.connectionString(database: "postgres")))
            let connection = try await PostgresConnection.connect(configuration)
            if round == 1 { try await connection.query("create table kept (id int8)") }
            #expect(try await connection.query("select * from kept").isEmpty)
            let settings = try await connection.query(
                "select current_setting('listen_addresses'), current_setting('fsync')"
            )
            #expect(try settings[0][0, as: String.self] == "")
            #expect(try settings[0][1, as: String.self] == "on")
            let other = try PostgresConfiguration("host=\(directory) user=postgres dbname=postgres")
            #expect(await code { try await PostgresConnection.connect(other) } == .unavailable)
            await connection.close()
            await cluster.stop()
            #expect(cluster.processID == nil)
        }
    }

    @Test func aSecondServerOnTheSameDataIsRefused() async throws {
        let directory = try directory()
        defer { try? remove(directory) }
        let cluster = try await PrivateCluster.persistent(at: directory, role: "octavo")
        let process = try #require(cluster.processID)
        await #expect(throws: PrivateClusterError.alreadyRunning(directory: directory, processID: process)) {
            try await PrivateCluster.persistent(at: directory, role: "octavo")
        }
        await cluster.stop()
    }

    @Test func aServerThatWasKilledIsStartedAgainOnItsData() async throws {
        let directory = try directory()
        defer { try? remove(directory) }
        let first = try await PrivateCluster.persistent(at: directory, role: "octavo")
        try await first.createDatabase("kept")
        let process = try #require(first.processID)
        kill(process, SIGKILL)
        await first.stop(keepingData: true)
        // Its lock file still says "ready".
        let second = try await PrivateCluster.persistent(at: directory, role: "octavo")
        let kept = try PostgresConfiguration(second.connectionString(database: "kept"))
        let connection = try await PostgresConnection.connect(kept, deadline: .now + .seconds(60))
        await connection.close()
        await second.stop()
    }

    @Test func theEndOfAServerIsTold() async throws {
        let directory = try directory()
        defer { try? remove(directory) }
        let cluster = try await PrivateCluster.persistent(at: directory, role: "octavo")
        let process = try #require(cluster.processID)
        async let end = cluster.waitForEnd()
        kill(process, SIGKILL)
        #expect(await end == "signal 9 (Killed)")
        #expect(cluster.processID == nil)
        // Its children may still be there; they are ended first.
        try await cluster.start()
        await cluster.stop()
        #expect(cluster.strays() == [])
    }

    @Test func aServerStartedByHandIsLeftAlone() async throws {
        let directory = try directory()
        defer { try? remove(directory) }
        let cluster = try await PrivateCluster.persistent(at: directory, role: "octavo")
        await cluster.stop()
        let elsewhere = try cluster.account.makeTemporaryDirectory()
        defer { rmdir(elsewhere) }
        let settings = ["-D", cluster.data, "-c", "listen_addresses=", "-c", "unix_socket_directories=\(elsewhere)"]
        let program = [cluster.programs.path("postgres")] + settings
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { close(nowhere) }
        let child = try spawn(program, as: cluster.account, passing: [], output: nowhere)
        defer { close(child.pidfd) }
        try await eventually("it runs") { cluster.postmasterFile(line: 7)?.hasPrefix("ready") == true }
        await #expect(throws: PrivateClusterError.alreadyRunning(directory: directory, processID: child.pid)) {
            try await cluster.start()
        }
        kill(child.pid, SIGINT)
        try await eventually("it has ended") { waitpid(child.pid, nil, WNOHANG) != 0 }
    }

    @Test func dataThatWereNotFinishedAreMadeAgainAndAStaleLockFileIsNoServer() async throws {
        let directory = try directory()
        defer { try? remove(directory) }
        let cluster = try PrivateCluster(at: directory, role: "octavo")
        #expect(access(directory, F_OK) != 0, "nothing is made before the start")
        try await cluster.start()
        await cluster.stop()
        try FileManager.default.createDirectory(atPath: directory + "/data.new-1", withIntermediateDirectories: false)
        // After a crash of the machine the number may be any program's, this one's for example.
        let lockFile = "\(getpid())\n\(cluster.data)\n0\n5432\n\(directory)\n\n\nready\n"
        try cluster.account.write(lockFile, to: cluster.data + "/postmaster.pid")
        try await cluster.start()
        await cluster.stop()
        try FileManager.default.removeItem(atPath: cluster.data)
        try await cluster.start()
        await cluster.stop()
        #expect(access(directory + "/data.new-1", F_OK) != 0)
    }

    @Test func aServerThatDoesNotStartSaysWhyInItsOwnWords() async throws {
        let directory = try directory()
        defer { try? remove(directory) }
        let cluster = try await PrivateCluster.persistent(at: directory, role: "octavo")
        await cluster.stop()
        try cluster.account.write("nonsense = 1\n", to: cluster.data + "/postgresql.auto.conf")
        let refused = await #expect(throws: PrivateClusterError.self) { try await cluster.start() }
        #expect(
            refused?.description.contains("postgresql.auto.conf\" contains errors") == true,
            "\(String(describing: refused))"
        )
        try cluster.account.write("", to: cluster.data + "/postgresql.auto.conf")
        try cluster.account.write("9.6\n", to: cluster.data + "/PG_VERSION")
        let other = await #expect(throws: PrivateClusterError.self) { try await cluster.start() }
        #expect(other?.description.contains("apt-get install postgresql-9.6") == true, "\(String(describing: other))")
    }

    @Test func aTemporaryOneIsGoneWhenNobodyHoldsIt() async throws {
        var cluster: PrivateCluster? = try await PrivateCluster.temporary()
        let directory = try #require(cluster?.directory)
        let process = try #require(cluster?.processID)
        #expect(kill(process, 0) == 0)
        // Stopped, it would hear of nothing.
        kill(process, SIGSTOP)
        cluster = nil
        try await eventually("the server has ended") { waitpid(process, nil, WNOHANG) != 0 }
        try await eventually("its directory is gone") { access(directory, F_OK) != 0 }
    }

    @Test func aDatabaseIsACopyOfItsTemplate() async throws {
        let cluster = try await PrivateCluster.shared()
        try await cluster.createDatabase("original")
        let original = try await PostgresConnection.connect(
            patient(PostgresConfiguration(cluster.connectionString(database: "original")))
        )
        try await original.query("create table book (id int8)")
        await original.close()
        try await cluster.createDatabase("copy", template: "original")
        let copy = try await PostgresConnection.connect(
            patient(PostgresConfiguration(cluster.connectionString(database: "copy")))
        )
        #expect(try await copy.query("select * from book").isEmpty)
        let error = await #expect(throws: PrivateClusterError.self) { try await cluster.createDatabase("copy") }
        #expect(error?.description.contains("already exists") == true)
    }

    @Test func missingProgramsAreToldWithWhatToInstall() throws {
        let error = #expect(throws: PrivateClusterError.programsMissing) {
            try Programs.find(path: "/nowhere", below: ["/nowhere"])
        }
        #expect(error?.description.contains("apt-get install postgresql-15") == true)
        #expect(try Programs.find(path: "").path("initdb").hasSuffix("/bin/initdb"))
    }

    @Test func aDirectoryThatCannotServeIsRefusedWithTheReason() async throws {
        let file = "/tmp/octavo-file-\(UUID())"
        try "".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let long = "/tmp/" + String(repeating: "x", count: 100)
        defer { try? FileManager.default.removeItem(atPath: long) }
        for (directory, words) in [("relative", "not absolute"), (file, "it is a file"), (long, "107 are allowed")] {
            let error = await #expect(throws: PrivateClusterError.self) {
                try await PrivateCluster.persistent(at: directory, role: "octavo")
            }
            #expect(error?.description.contains(words) == true)
        }
        await #expect(throws: PrivateClusterError.invalidRole("o'clock")) {
            try await PrivateCluster.persistent(at: file, role: "o'clock")
        }
    }

    @Test func somebodyElsesDirectoryIsRefused() async throws {
        // Only root can give a directory away; any other user has one of root's to try.
        var directory = "/root"
        if geteuid() == 0 {
            directory = "/tmp/octavo-foreign-\(UUID())"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            chown(directory, 12345, 12345)
        }
        defer { if geteuid() == 0 { rmdir(directory) } }
        let error = await #expect(throws: PrivateClusterError.self) {
            try await PrivateCluster.persistent(at: directory, role: "octavo")
        }
        #expect(error?.description.contains("belongs to") == true)
    }
}
