import Contract
import Logging
import Postgres
import ServiceLifecycle
import Traces
import Tracing
import Wire

/// Fires what is due. Every host has one of these, and each sees all schedules: who moves a schedule on to its next tick, in
/// the transaction that stores the run, has fired it. The others find it moved, and have done nothing.
final class ScheduleClock: Service {
    /// Schedules of one look.
    private static let part = 100
    /// The longest time without a look: other hosts' news may be missed.
    private static let longest = Duration.seconds(5)
    /// Between two looks while something is in the way.
    private static let pause = Duration.milliseconds(500)
    /// Ticks that are kept of a schedule, with the runs they have begun.
    private static let kept = 100

    private let database: Database
    private let signals: RunSignals
    private let zones: Zones
    private let logger: Logger

    init(database: Database, signals: RunSignals, zones: Zones, logger: Logger) {
        self.database = database
        self.signals = signals
        self.zones = zones
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.signals.subscribed(to: .clock) { signal in
                while !Task.isCancelled {
                    var wait = Self.pause
                    do {
                        wait = try await self.look()
                    } catch {
                        self.logger.debug("schedules wait", metadata: ["error": "\(error)"])
                    }
                    await signal.wait(for: wait)
                }
            }
        }
    }

    /// Fires what is due. Returns how long nothing will be.
    private func look() async throws -> Duration {
        let rows = try await database.rows(
            """
            select \(unsafe: StoredSchedule.columns) from schedule
            where not paused and next_at <= clock_timestamp() order by next_at limit \(Self.part)
            """,
            isReadOnly: true,
            deadline: .now + .seconds(10)
        )
        var isHindered = false
        for schedule in try rows.map(StoredSchedule.init) where try await !fire(schedule) { isHindered = true }
        if isHindered { return Self.pause }
        guard rows.count < Self.part else { return .zero }
        let next = try await database.rows(
            """
            select ceil(extract(epoch from min(next_at) - clock_timestamp()) * 1000)::float8 from schedule where not paused
            """,
            isReadOnly: true,
            deadline: .now + .seconds(10)
        )
        let milliseconds = try next.first?[0, as: Double?.self]
        return milliseconds.map { min(Self.longest, .milliseconds(max(0, $0))) } ?? Self.longest
    }

    /// False when it was not possible now: one schedule that is not keeps no other waiting.
    func fire(_ schedule: StoredSchedule) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        do {
            let timetable = try await zones.timetable(schedule.cron, in: schedule.zone, deadline: deadline)
            // None any more: this one is fired, and then it is paused.
            let next = timetable.next(after: schedule.now).first
            let start = max(schedule.next - 1, schedule.now - CatchUp.horizon)
            let due = timetable.ticks(after: start, through: schedule.now)
            let firing = CatchUp(schedule.catchUp, most: schedule.catchUpMost, due: due, now: schedule.now)
            try await store(firing, of: schedule, next: next, deadline: deadline)
            return true
        } catch let error as ServiceError where error.code == .failedPrecondition {
            // Another host has moved it on, or it was paused or removed at this very moment.
            return true
        } catch let error as ServiceError where error.retry != .no {
            throw error
        } catch {
            // A zone that Postgres knows no longer, for instance.
            logger.error("schedule cannot be fired", metadata: ["schedule": "\(schedule.name)", "error": "\(error)"])
            return false
        }
    }

    /// One transaction: the schedule goes on to its next tick, and the runs are there.
    private func store(
        _ firing: CatchUp,
        of schedule: StoredSchedule,
        next: Int64?,
        deadline: ContinuousClock.Instant
    ) async throws {
        // It ends where it has fired: of another host's firing, which it may turn out to be, that host tells.
        let span = firing.fired.isEmpty ? nil : database.recorder?.firing(schedule)
        let runs = firing.fired.map { (at: $0, enqueue: schedule.enqueue(trace: span?.traceParent)) }
        var statements = [Self.move(schedule, to: next, firing)]
        for (at, enqueue) in runs {
            statements.append(try Acceptance.enqueue(enqueue))
            statements.append(
                """
                insert into schedule_tick (schedule_id, at, run_id)
                values (\(schedule.id), to_timestamp(\(Double(at))), \(enqueue.run.uuid))
                """
            )
        }
        statements.append(
            """
            delete from schedule_tick where schedule_id = \(schedule.id) and at < (
                select at from schedule_tick where schedule_id = \(schedule.id) order by at desc offset \(Self.kept) limit 1)
            """
        )
        _ = try await database.transaction(statements, deadline: deadline)
        span?.end()
        for (at, enqueue) in runs {
            signals.accepted(enqueue)
            let metadata: Logger.Metadata = [
                "schedule": "\(schedule.name)", "RUN_ID": "\(enqueue.run)", "late_s": "\(schedule.now - at)",
            ]
            logger.info("schedule fired", metadata: metadata)
        }
        if next == nil {
            logger.notice("schedule has no further tick and is paused", metadata: ["schedule": "\(schedule.name)"])
        }
        if firing.missed > 0 {
            let metadata: Logger.Metadata = ["schedule": "\(schedule.name)", "ticks": "\(firing.missed)"]
            logger.notice("schedule not caught up with", metadata: metadata)
        }
    }

    /// Refused when it is not where it was seen: whoever comes second waits for the row, and looks again.
    private static func move(_ schedule: StoredSchedule, to next: Int64?, _ firing: CatchUp) -> Query {
        """
        with moved as (
            update schedule set next_at = coalesce(to_timestamp(\(next.map(Double.init))), next_at),
                paused = \(next == nil), missed = missed + \(firing.missed),
                last_at = coalesce(to_timestamp(\(firing.fired.last.map(Double.init))), last_at)
            where id = \(schedule.id) and next_at = to_timestamp(\(Double(schedule.next))) and not paused
            returning id
        )
        select case when not exists (select from moved)
            then octavo_raise('OC002', 'The schedule was fired by another host.') end
        """
    }
}

extension SpanRecorder {
    /// A schedule is fired: where the trace of its runs begins.
    fileprivate func firing(_ schedule: StoredSchedule) -> RecordedSpan {
        let span = start("fire", .consumer, within: nil)
        span.attributes["octavo.schedule.name"] = schedule.name
        return span
    }
}
