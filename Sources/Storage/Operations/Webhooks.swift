import Contract
import FoundationEssentials
import Postgres
import RPC
import Wire

/// The operations on webhooks. What they are told is written by `octavo_tell_of_run`, in the transaction in which a run ends.
struct Webhooks: Sendable {
    let database: Database
    let signals: RunSignals

    func add(to operations: inout Operations) {
        operations.on(AddWebhook.self) { try await add($0.webhook, $1) }
        operations.onJSON(ListWebhooks.self) { try await list($0, $1) }
        operations.on(RemoveWebhook.self) { try await remove($0, $1) }
        operations.onJSON(TestWebhook.self) { try await test($0, $1) }
        operations.onJSON(ListDeliveries.self) { try await deliveries($0, $1) }
        operations.on(RetryDelivery.self) { try await retry($0, $1) }
    }

    private func add(_ webhook: Webhook, _ call: CallContext) async throws -> Done {
        try Self.check(webhook)
        let rows = try await database.rows(
            """
            with made as (
                insert into webhook as earlier (name, url, agent)
                select \(webhook.name), \(webhook.url), \(webhook.agent)
                where (select count(*) from webhook where name <> \(webhook.name)) < \(AddWebhook.most)
                on conflict (name) do update set disabled = null
                where earlier.url = excluded.url and earlier.agent is not distinct from excluded.agent
                returning name
            ), placed as (
                insert into outbox_destination (name, gap)
                select 'webhook/' || name, coalesce(interval '1 second' / \(webhook.perSecond)::integer, '0') from made
                on conflict (name) do update set gap = excluded.gap
            )
            select exists (select from made), exists (select from webhook where name = \(webhook.name))
            """,
            deadline: call.deadline
        )
        guard let row = rows.first, try row[0, as: Bool.self] else {
            if try rows.first?[1, as: Bool.self] == true {
                throw ServiceError.alreadyExists("There is another webhook of that name: remove it first.")
            }
            throw ServiceError(.resourceExhausted, "There are \(AddWebhook.most) webhooks already.", retry: .no)
        }
        signals.signal(.outbox)
        return Done()
    }

    /// The network is the agent runner's: it looks at where a name leads when it sends.
    private static func check(_ webhook: Webhook) throws {
        let isName = webhook.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "=") }
        guard Webhook.nameLength.contains(webhook.name.utf8.count), isName else {
            throw ServiceError.invalidArgument("A webhook's name has 1 to 100 visible ASCII characters without \"=\".")
        }
        guard webhook.url.utf8.count <= Webhook.maximumURLBytes, let url = URL(string: webhook.url),
            url.scheme == "https" || url.scheme == "http", url.host()?.isEmpty == false
        else {
            throw ServiceError.invalidArgument(
                "\"url\" begins with https:// or http://, names a host, and has \(Webhook.maximumURLBytes) bytes at most."
            )
        }
        guard url.user() == nil, url.password() == nil, url.fragment() == nil else {
            throw ServiceError.invalidArgument("\"url\" has no user, password or fragment.")
        }
        guard (1...1_000).contains(webhook.perSecond ?? 1),
            (1...EnqueueRun.maximumNameBytes).contains(webhook.agent?.utf8.count ?? 1)
        else { throw ServiceError.invalidArgument("per_second is 1 to 1000, and agent has 1 to 200 bytes.") }
    }

    private func list(_ list: ListWebhooks, _ call: CallContext) async throws -> JSON {
        let found = try await database.json(
            """
            select jsonb_build_object('webhooks', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'webhook', jsonb_build_object('name', webhook.name, 'url', url, 'agent', agent, 'per_second',
                    round(1 / nullif(extract(epoch from gap), 0))),
                'disabled', disabled, 'missed', missed,
                'waiting', (
                    select count(*) from outbox
                    where destination = place.name and state in ('queued', 'sending', 'unknown')),
                'dead', (select count(*) from outbox where destination = place.name and state = 'dead')))
                order by webhook.name), '[]'))
            from webhook join outbox_destination as place on place.name = 'webhook/' || webhook.name
            """,
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    private func remove(_ remove: RemoveWebhook, _ call: CallContext) async throws -> Done {
        let rows = try await database.rows(
            """
            with gone as (
                delete from webhook where name = \(remove.webhook) returning 'webhook/' || name as destination
            ), place as (
                delete from outbox_destination using gone where name = destination
            ), given_up as (
                -- What is on its way is not tried again, whatever comes of it: there may be another webhook of that name by then. In
                -- one statement, since it may be given out at this very moment.
                update outbox set tries = case state when 'sending' then attempt else tries end,
                    ended_at = case when state <> 'sending' then clock_timestamp() end,
                    error = case state when 'sending' then error else 'The webhook was removed.' end,
                    state = case state when 'sending' then state else 'dead' end
                from gone where outbox.destination = gone.destination and state in ('queued', 'sending', 'unknown')
            )
            select from gone
            """,
            deadline: call.deadline
        )
        guard !rows.isEmpty else { throw Self.missing }
        return Done()
    }

    private func test(_ test: TestWebhook, _ call: CallContext) async throws -> JSON {
        let key = "test_" + RunID.new().description.filter { $0 != "-" }
        let found = try await database.json(
            """
            select jsonb_build_object('message', coalesce(
                octavo_tell(webhook, \(key), json_build_object('type', 'webhook.test',
                    'timestamp', \(unsafe: Self.timestamp("clock_timestamp()")), 'data', '{}'::json), null),
                (octavo_raise('OC006', 'Too many messages wait for it.') ->> 0)::bigint))
            from webhook where name = \(test.webhook)
            """,
            deadline: call.deadline
        )
        guard let found else { throw Self.missing }
        signals.signal(.outbox)
        return found
    }

    private func deliveries(_ list: ListDeliveries, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 100.")
        }
        let found = try await database.json(
            """
            select jsonb_build_object('deliveries', coalesce(jsonb_agg(line order by id desc), '[]'))
            from (
                select id, jsonb_strip_nulls(jsonb_build_object('message', id, 'webhook', substr(destination, 9),
                    'state', state, 'key', key, 'run', run_id, 'attempt', attempt, 'status', status, 'error', error,
                    'created', \(unsafe: Self.timestamp("created_at")),
                    'next', case when ended_at is null then \(unsafe: Self.timestamp("next_at")) end,
                    'ended', \(unsafe: Self.timestamp("ended_at")))) as line
                from outbox
                where kind = 'webhook' and (\(list.webhook == nil) or destination = 'webhook/' || \(list.webhook)::text)
                    and (\(list.state == nil) or state = \(list.state?.rawValue))
                    and (\(list.message == nil) or id = \(list.message)::bigint)
                    and (\(list.before == nil) or id < \(list.before)::bigint)
                order by id desc limit \(list.limit)
            ) as page
            """,
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    private func retry(_ retry: RetryDelivery, _ call: CallContext) async throws -> Done {
        let rows = try await database.rows(
            """
            with again as (
                update outbox set state = 'queued', tries = attempt + 12, next_at = clock_timestamp(), ended_at = null
                where id = \(retry.message) and state = 'dead'
                    and exists (select from outbox_destination where name = destination)
                returning id
            )
            select exists (select from again), exists (select from outbox where id = \(retry.message))
            """,
            deadline: call.deadline
        )
        guard let row = rows.first, try row[1, as: Bool.self] else {
            throw ServiceError.notFound("There is no such message, or no longer.")
        }
        guard try row[0, as: Bool.self] else {
            throw ServiceError.failedPrecondition("It was not given up, or its webhook is gone.")
        }
        signals.signal(.outbox)
        return Done()
    }

    private static let missing = ServiceError.notFound("There is no webhook of that name.")

    private static func timestamp(_ time: String) -> String {
        "to_char(\(time) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }
}
