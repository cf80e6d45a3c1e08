import Contract
import OctavoTesting
import Postgres
import RPC
import Testing
import Wire

@testable import Storage

/// Schedules on a real Postgres, fired by one host and by several.
@Suite(.serialized) struct ScheduleTests {
    private func withHost(_ body: @Sendable @escaping (StorageHost, String) async throws -> Void) async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { try await body($0, database) }
    }

    private func yearly(_ name: String = "news", _ change: (inout Schedule) -> Void = { _ in }) -> Schedule {
        var schedule = Schedule(name: name, cron: "@yearly", agent: "echo", question: "What is new?")
        change(&schedule)
        return schedule
    }

    private func line(_ name: String, _ host: StorageHost) async throws -> ListSchedules.Result.Line {
        let list = try await host.admin.perform(ListSchedules())
        return try #require(list.schedules.first { $0.schedule.name == name })
    }

    /// As if nobody had been there since then.
    private func miss(_ since: String, _ database: String) async throws {
        try await sql(database, "update schedule set next_at = \(since)")
    }

    @Test func aScheduleIsMadeOnceAndTakenAway() async throws {
        try await withHost { host, _ in
            let made = try await host.admin.perform(AddSchedule(yearly()))
            let again = try await host.admin.perform(AddSchedule(yearly()))
            #expect(
                made.isNew && !again.isNew && again.next == made.next && made.next.hasSuffix("-01-01T00:00:00.000Z")
            )
            await #expect(throws: ServiceError.self) {
                try await host.admin.perform(AddSchedule(yearly { $0.zone = "Europe/Berlin" }))
            }
            let found = try await line("news", host)
            #expect(found.schedule.question == "What is new?" && found.schedule.command == nil && !found.paused)
            #expect(found.schedule.catchUp == .last && found.schedule.tries == 5 && found.missed == 0)
            _ = try await host.admin.perform(RemoveSchedule("news"))
            await #expect(throws: ServiceError.self) { try await host.admin.perform(RemoveSchedule("news")) }
        }
    }

    @Test func whatCannotBeUsedIsRefused() async throws {
        let wrong: [Schedule] = [
            yearly { $0.cron = "never" }, yearly { $0.zone = "Berlin" }, yearly { $0.zone = "CET-1CEST" }, yearly(""),
            yearly { $0.priority = 4 }, yearly { $0.tries = 0 }, yearly { $0.command = ["prune"] },
            yearly { $0.question = " " }, yearly { $0.agent = "command" }, yearly { $0.catchUpMost = 101 },
            Schedule(name: "x", cron: "@daily", command: []), Schedule(name: "x", cron: "@daily", command: ["a b"]),
        ]
        try await withHost { host, _ in
            for schedule in wrong {
                await #expect(throws: ServiceError.self, "\(schedule)") {
                    try await host.admin.perform(AddSchedule(schedule))
                }
            }
            let list = try await host.admin.perform(ListSchedules())
            #expect(list.schedules.isEmpty)
        }
    }

    @Test func aTickBeginsOneRunHoweverManyHostsSeeIt() async throws {
        let database = try await TestDatabase.make()
        try await StorageHost.run(database: database) { one in
            try await StorageHost.run(database: database) { two in
                try await StorageHost.run(database: database) { _ in
                    for number in 0..<20 { _ = try await one.admin.perform(AddSchedule(yearly("news \(number)"))) }
                    try await miss("date_trunc('year', now(), 'UTC')", database)
                    // All three look now.
                    _ = try await two.admin.perform(AddSchedule(yearly("bell")))
                    try await eventually {
                        try await values(database, "select count(*) from schedule_tick").first == 20
                    }
                    let runs = try await values(database, "select count(*) from run")
                    let moved = try await values(database, "select count(*) from schedule where next_at > now()")
                    #expect(runs == [20] && moved == [21])
                    let found = try await line("news 3", one)
                    let run = try #require(found.lastRun)
                    let first = try await two.admin.perform(GetRun(run: run))
                    #expect(first.question.channel == .schedule && first.agent == "echo" && first.state == .queued)
                }
            }
        }
    }

    @Test func ticksNobodyWasThereForAreCaughtUpWithAsThePolicySays() async throws {
        try await withHost { host, database in
            // Twelve hours from now, so that no tick of this moment is among them.
            let hour = try await values(database, "select extract(hour from now() at time zone 'UTC')::int8")[0]
            let cron = "0 \((hour + 12) % 24) * * *"
            for (name, policy) in [("none", Schedule.CatchUp.none), ("last", .last), ("all", .all)] {
                var schedule = Schedule(name: name, cron: cron, agent: "echo", question: name)
                (schedule.catchUp, schedule.catchUpMost) = (policy, 3)
                _ = try await host.admin.perform(AddSchedule(schedule))
            }
            try await miss("next_at - interval '10 days'", database)
            _ = try await host.admin.perform(AddSchedule(yearly("bell")))
            for (name, fired, missed) in [("none", 0, 10), ("last", 1, 9), ("all", 3, 7)] {
                try await eventually { try await line(name, host).missed == missed }
                let count = try await values(
                    database,
                    "select count(*) from schedule_tick join schedule on id = schedule_id where name = '\(name)'"
                )
                #expect(count == [fired], "\(name)")
            }
            // One after the other: the first has its turn.
            let states = try await values(
                database,
                "select count(*) from run_work where lane = 'schedule all' and state = 'waiting'"
            )
            #expect(states == [2])
        }
    }

    @Test func aPausedScheduleIsNotFiredAndGoesOnFromNow() async throws {
        try await withHost { host, database in
            _ = try await host.admin.perform(AddSchedule(yearly()))
            _ = try await host.admin.perform(PauseSchedule("news", paused: true))
            try await miss("date_trunc('year', now(), 'UTC')", database)
            let paused = try await line("news", host)
            #expect(paused.paused && paused.next == nil)
            _ = try await host.admin.perform(PauseSchedule("news", paused: false))
            let resumed = try await line("news", host)
            let ticks = try await values(database, "select count(*) from schedule_tick")
            #expect(!resumed.paused && resumed.next != nil && resumed.missed == 0 && ticks == [0])
        }
    }

    @Test func aScheduleThatHasNoTickBehindThisOneIsFiredAndThenPaused() async throws {
        let database = try await TestDatabase.make()
        // After this Sunday the 29th of February is no Sunday for 28 years.
        try await sql(
            database,
            """
            insert into schedule (name, cron, zone, agent, question, priority, tries, catch_up, catch_up_most, next_at)
            values ('news', '0 0 29 2 */7', 'UTC', 'echo', 'What is new?', 1, 5, 'last', 10, '2032-02-29 00:00:00+00')
            """
        )
        try await StorageHost.withDatabase(database) { storage, logger in
            let columns = StoredSchedule.columns.replacing("clock_timestamp()", with: "next_at + interval '10 s'")
            let rows = try await storage.rows(
                Query(unsafe: "select \(columns) from schedule"),
                deadline: .now + .seconds(30)
            )
            let zones = Zones(database: storage)
            let clock = ScheduleClock(database: storage, signals: RunSignals(), zones: zones, logger: logger)
            let isFired = try await clock.fire(StoredSchedule(rows[0]))
            #expect(isFired)
        }
        let found = try await values(
            database,
            """
            select unnest(array[(select count(*) from schedule where paused), (select count(*) from schedule_tick),
                (select count(*) from run_work where state = 'queued')])
            """
        )
        #expect(found == [1, 1, 1])
    }

    @Test func firingBeginsARunOnceAndLeavesTheTicksAlone() async throws {
        try await withHost { host, _ in
            _ = try await host.admin.perform(AddSchedule(yearly()))
            let before = try await line("news", host)
            let fire = FireSchedule("news")
            let (first, again) = (try await host.admin.perform(fire), try await host.admin.perform(fire))
            #expect(first.isNew && !again.isNew && first.run == fire.run)
            let after = try await line("news", host)
            #expect(after == before)
        }
    }

    @Test(arguments: [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago",
        "Africa/Casablanca", "Antarctica/Troll", "Pacific/Apia",
    ])
    func theClocksInAZoneShowWhatTheExpressionSays(zone: String) async throws {
        try await withHost { host, database in
            let quarters = try await host.admin.perform(NextTicks(cron: "*/15 * * * *", zone: zone, count: 100)).ticks
            #expect(quarters.allSatisfy { ["00", "15", "30", "45"].contains($0.local.suffix(2)) })
            // Over a year and more, no day is left out and none comes twice.
            let daily = try await host.admin.perform(NextTicks(cron: "30 2 1,8,15,22 * *", zone: zone, count: 100))
                .ticks
            let shown = daily.map { $0.local.suffix(5) }
            #expect(daily.count == 100 && Set(daily.map { $0.local.dropFirst(4).prefix(10) }).count == 100)
            #expect(shown.count { $0 == "02:30" } >= 96, "\(shown)")
            // As Postgres itself has it, where clocks are not being changed.
            let text = daily.filter { $0.local.hasSuffix("02:30") }.map { "('\($0.at)'::timestamptz)" }
            let differing = try await values(
                database,
                """
                select count(*) from (values \(text.joined(separator: ", "))) as tick (at)
                where to_char(at at time zone '\(zone)', 'HH24:MI') <> '02:30'
                """
            )
            #expect(differing == [0])
        }
    }

    @Test func onlySchedulesBeginCommandsAndOnlyAdministratorsCarryThemOut() async throws {
        try await withHost { host, _ in
            await #expect(throws: ServiceError.self) { try await host.admin.enqueue("command", "prune --days 7") }
            _ = try await host.admin.perform(AddSchedule(Schedule(name: "tidy", cron: "@yearly", command: ["prune"])))
            let run = try await host.admin.perform(FireSchedule("tidy")).run
            try await host.withRunner { runner in
                await #expect(throws: ServiceError.self) { _ = try await runner.claim(1, as: "a", ["command"]) }
                let open = OpenRun(
                    run: .new(),
                    agent: "command",
                    model: "m",
                    question: Question(text: "prune --days 7", channel: .http),
                    runner: "a",
                    event: RunEvent(sequence: 1, at: "2026-01-31T12:00:00.000Z", body: .status("…"))
                )
                await #expect(throws: ServiceError.self) { _ = try await runner.perform(open) }
            }
            await #expect(throws: ServiceError.self) { _ = try await host.admin.claim(1, as: "b", ["echo"]) }
            let lease = try await host.admin.claim(1, as: "b", ["command"])[0]
            #expect(lease.run == run && lease.question.text == "prune")
            try await host.admin.finish(lease, as: "b")
            await #expect(throws: ServiceError.self) { try await host.admin.perform(RetryRun(run: run)) }
        }
    }
}
