import Contract
import Postgres
import Synchronization
import Wire

/// The time zones, as Postgres knows them: whoever keeps Postgres up to date keeps the schedules right.
final class Zones: Sendable {
    /// How long what was read is believed: a zone may be changed by law, and then by an update of Postgres.
    private static let lifetime = Duration.seconds(6 * 3_600)

    private struct Reading {
        var offsets: ZoneOffsets
        var at: ContinuousClock.Instant
    }

    private let database: Database
    /// By name: Postgres knows some hundred.
    private let readings = Mutex<[String: Reading]>([:])

    init(database: Database) {
        self.database = database
    }

    /// The offsets of a zone. Errors: `invalid_argument` where Postgres knows none of that name.
    func offsets(of zone: String, deadline: ContinuousClock.Instant) async throws -> ZoneOffsets {
        let now = ContinuousClock.now
        if let known = readings.withLock({ $0[zone] }), now - known.at < Self.lifetime { return known.offsets }
        // Beside names Postgres takes abbreviations and rules, which do not say when clocks are changed.
        let found = try await database.rows(
            "select from pg_timezone_names where name = \(zone)",
            isReadOnly: true,
            deadline: deadline
        )
        guard !found.isEmpty else {
            throw ServiceError.invalidArgument(
                "There is no time zone of that name: write one such as Europe/Berlin, or UTC."
            )
        }
        let rows = try await database.rows(
            "select since, seconds from octavo_zone_offsets(\(zone))",
            isReadOnly: true,
            deadline: deadline
        )
        let offsets = ZoneOffsets(
            changes: try rows.map { (since: try $0[0, as: Int64.self], seconds: Int(try $0[1, as: Int32.self])) }
        )
        readings.withLock { $0[zone] = Reading(offsets: offsets, at: now) }
        return offsets
    }

    /// When an expression is due. Errors: `invalid_argument` for one that is none, and as above.
    func timetable(
        _ cron: String,
        in zone: String,
        deadline: ContinuousClock.Instant
    ) async throws -> Timetable {
        let expression: CronExpression
        do throws(CronExpression.Refusal) {
            expression = try CronExpression(cron)
        } catch {
            throw ServiceError.invalidArgument("\"\(cron.prefix(60))\" is no cron expression. \(error)")
        }
        return Timetable(expression, try await offsets(of: zone, deadline: deadline))
    }
}
