import Contract
import Daemon
import FoundationEssentials
import Glibc
import NIOHTTP1
import PrivateCluster
import RPC
import TestSupport
import Testing
import Wire

/// Health over the socket, also when there is nothing good to say.
@Suite(.serialized) struct HealthTests {
    @Test func everyServiceAnswersInOneFrameByHand() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            for service in ["storage", "agent-runner", "gateway"] {
                let socket = "\(house.runFolder)/\(service)-admin.sock"
                try await eventually {
                    let answer = try await shell(
                        #"printf '24 {"id":1,"call":"health"}\n' | socat -t30 - UNIX-CONNECT:\#(socket)"#
                    )
                    let payload = answer.drop { $0 != " " }.dropFirst().prefix { $0 != "\n" }
                    let health = try? JSON(validating: String(payload)).member("result")?.decode(Health.self)
                    return health?.service == service && health?.ready == true
                }
            }
        }
    }

    @Test func aClientThatKnowsTheProtocolFolderAloneAsksEveryService() async throws {
        let client = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/RPCTests/client.py"
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await house.waitUntilReady()
            for service in ["storage", "agent-runner", "gateway"] {
                let answer = try await shell("/usr/bin/python3 \(client) \(house.runFolder)/\(service)-admin.sock")
                #expect(answer.contains("service \(service)"), "\(answer)")
            }
        }
    }

    @Test func theCommandShowsAllAndSaysWithItsExitCodeWhenOneIsNotReady() async throws {
        try await TestHouse.run(database: nil) { house in
            var output = try await house.octavo(["health", "--run-folder", house.runFolder])
            try await eventually {
                output = try await house.octavo(["health", "--run-folder", house.runFolder])
                return output.exit == .code(2)
            }
            #expect(output.text.contains("no database configured"))
            #expect(output.text.contains("gateway"))
            let missing = try await house.octavo(["health", "--run-folder", "/nowhere", "--json"])
            #expect(missing.exit == .code(1))
        }
    }

    @Test func aDatabaseThatIsAwayIsSaidAndItsReturnIsNoticed() async throws {
        let cluster = try await PrivateCluster.temporary()
        try await cluster.createDatabase("octavo")
        let database = cluster.connectionString(database: "octavo")
        try await TestHouse.run(database: database) { house in
            try await house.waitUntilReady()
            await cluster.stop(keepingData: true)
            try await eventually { try await !self.isReady(house) }
            let search = try await HTTP(house: house).get("/v1/search?q=x")
            #expect(search.status == 503)
            #expect(search.string("retry") == "safe")

            try await cluster.start()
            try await eventually { try await self.isReady(house) }
            let again = try await HTTP(house: house).get("/v1/search?q=x")
            #expect(again.status == 200)
        }
        await cluster.stop()
    }

    @Test func theGatewaySaysWhichServiceHangsAndGoesOnAnswering() async throws {
        try await TestHouse.run(database: TestDatabase.make()) { house in
            try await eventually { try await self.gateway(house).ready }
            for (service, name) in [("storage", "storage"), ("agent-runner", "agent runner")] {
                let process = try #require(house.processID(of: "octavo-\(service)"))
                kill(process, SIGSTOP)
                defer { kill(process, SIGCONT) }
                try await eventually {
                    try await self.gateway(house).reasons.contains("\(name) did not answer in time")
                }
                let ready = try await HTTP(house: house).get("/readyz")
                #expect(ready.status == 503)
                #expect(ready.string("detail")?.contains("\(name) did not answer") == true, "\(ready.body)")
                #expect(ready.headers.first(name: "retry-after") == "1")
                let live = try await HTTP(house: house).get("/livez")
                #expect(live.status == 200)
                kill(process, SIGCONT)
                try await eventually { try await self.gateway(house).ready }
            }
            let ready = try await HTTP(house: house).get("/readyz")
            #expect(ready.status == 200)
        }
    }

    @Test(
        .enabled(
            if: access("/usr/bin/systemd-socket-activate", X_OK) == 0,
            "systemd-socket-activate is not on this machine: apt-get install systemd"
        )
    )
    func aServiceIsActivatedBySystemdsOwnTool() async throws {
        try await TestHouse.run(database: nil) { house in
            let socket = "\(house.runFolder)/activated.sock"
            let program = try String(#require(CommandLine.arguments.first))
            let folder = program[..<(program.lastIndex(of: "/") ?? program.endIndex)]
            var launch = ChildProcess.Launch(path: "/usr/bin/systemd-socket-activate")
            launch.arguments = ["-l", socket, "--fdname=admin", "\(folder)/octavo-storage"]
            let child = try ChildProcess(launch)
            defer { child.kill() }
            try await eventually { FileManager.default.fileExists(atPath: socket) }
            // The file of a socket is there a moment before anybody listens.
            try await eventually {
                let answer = try await shell(
                    #"printf '24 {"id":1,"call":"health"}\n' | socat -t60 - UNIX-CONNECT:\#(socket)"#
                )
                return answer.contains("no database configured")
            }
        }
    }

    private func gateway(_ house: TestHouse) async throws -> Health {
        try await house.withAdmin(of: "gateway") { try await $0.perform(GetHealth()) }
    }

    private func isReady(_ house: TestHouse) async throws -> Bool {
        try await house.withAdmin(of: "storage") { try await $0.perform(GetHealth()) }.ready
    }
}
