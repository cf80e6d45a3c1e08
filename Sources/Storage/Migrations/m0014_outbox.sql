-- The outbox: what is said to the outside, written by the transaction that is its cause. protocol/outbox.md has its states.

-- Whom something is said to: one message at a time, in their order.
create table outbox_destination (
    name text primary key,
    -- Until when it is left alone: because it asked for that, or because of its pace.
    held_until timestamptz not null default '-infinity',
    -- The least time from one message to the next.
    gap interval not null default '0',
    -- Messages that were not stored, since too many waited.
    missed bigint not null default 0
) with (fillfactor = 50);

create table outbox (
    id bigint generated always as identity primary key,
    destination text not null,
    kind text not null check (kind in ('webhook')),
    -- What the receiver knows it by, however often it is sent.
    key text not null unique,
    -- The same bytes each time.
    body text not null,
    run_id uuid,
    state text not null default 'queued' check (state in ('queued', 'sending', 'unknown', 'sent', 'dead')),
    -- The number of the latest lease.
    attempt integer not null default 0,
    tries integer not null check (tries > 0),
    next_at timestamptz not null default clock_timestamp(),
    holder text,
    leased_at timestamptz,
    -- What the receiver said last, or why nothing reached it.
    status integer,
    error text,
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    check ((state = 'sending') = (holder is not null)),
    check ((state in ('sent', 'dead')) = (ended_at is not null))
) with (fillfactor = 70);
create index outbox_head on outbox (destination, id) where state in ('queued', 'sending', 'unknown');
create index outbox_lease on outbox (holder) where state = 'sending';
create index outbox_ended on outbox (state, ended_at) where state in ('sent', 'dead');
create index outbox_destination_latest on outbox (destination, id);

-- Who is told of runs that have ended.
create table webhook (
    id bigint generated always as identity primary key,
    name text not null unique,
    url text not null,
    -- Of this agent's runs only.
    agent text,
    -- Why nothing is sent there any more.
    disabled text,
    created_at timestamptz not null default now()
);

-- A message for whoever is to be told of a run. It is built once: whoever gets it twice gets the same.
create function octavo_tell(hook webhook, its_key text, its_body json, of_run uuid) returns bigint
language plpgsql as $$
declare
    target text := 'webhook/' || hook.name;
    told bigint;
begin
    -- A receiver that is away for days does not fill the disk.
    if (select count(*) from (
        select from outbox where destination = target and state in ('queued', 'sending', 'unknown') limit 10000) as waiting
    ) = 10000 then
        update outbox_destination set missed = missed + 1 where name = target;
        return null;
    end if;
    insert into outbox (destination, kind, key, body, run_id, tries) values (target, 'webhook', its_key, its_body::text, of_run, 12)
    on conflict (key) do nothing returning id into told;
    return told;
end $$;

-- A run has ended, however that came.
create function octavo_tell_of_run() returns trigger
language plpgsql as $$
declare
    hook webhook;
    asked question;
begin
    for hook in select * from webhook where disabled is null and coalesce(agent = new.agent, true) loop
        select * into asked from question where id = new.question_id;
        perform octavo_tell(hook, 'run_' || replace(new.id::text, '-', '') || '_' || hook.id, json_build_object(
            'type', 'run.' || new.state,
            'timestamp', to_char(new.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'data', json_strip_nulls(json_build_object(
                'run', new.id, 'agent', new.agent, 'state', new.state, 'attempt', new.attempt,
                'channel', asked.channel, 'reader', asked.reader, 'question', asked.text,
                'answer', left(new.outcome ->> 'answer', 20000),
                'cut', case when length(new.outcome ->> 'answer') > 20000 then true end,
                'error', new.outcome -> 'error', 'usage', new.outcome -> 'usage'))), new.id);
    end loop;
    return null;
end $$;
create trigger run_ended after update of state on run for each row
    when (old.state is null and new.state is not null) execute function octavo_tell_of_run();

-- Leases up to `most` messages, the first of each destination that may be sent to. A row without a document says when to look
-- again.
create function octavo_claim_messages(claimer text, most integer) returns table (document jsonb, again interval)
language plpgsql as $$
declare
    clock timestamptz := clock_timestamp();
begin
    perform from runner where id = claimer and alive_until > clock for key share;
    if not found then
        raise exception using errcode = 'OC005', message = 'The runner was given up; claim again.';
    end if;
    return query
    with head as materialized (
        select message.*, destination.gap, greatest(message.next_at, destination.held_until) as due
        from outbox_destination as destination, lateral (
            select id, state, next_at, outbox.destination from outbox
            where outbox.destination = destination.name and state in ('queued', 'sending', 'unknown')
            order by id limit 1
        ) as message
        where message.state <> 'sending'
    ), first as materialized (
        select * from head where due <= clock order by due limit most
    ), free as materialized (
        select outbox.id, outbox.state as earlier from outbox join first using (id)
        where outbox.state in ('queued', 'unknown') for update of outbox skip locked
    ), leased as (
        update outbox set state = 'sending', attempt = outbox.attempt + 1, holder = claimer, leased_at = clock
        from free where outbox.id = free.id
        returning outbox.*, free.earlier
    ), paced as (
        update outbox_destination set held_until = greatest(held_until, clock + outbox_destination.gap)
        from leased where outbox_destination.name = leased.destination and outbox_destination.gap > interval '0'
    )
    select jsonb_build_object('message', leased.id, 'kind', kind, 'destination', leased.destination, 'attempt', attempt,
            'key', key, 'body', body, 'url', webhook.url, 'again', earlier = 'unknown'), null::interval
    from leased join webhook on 'webhook/' || webhook.name = leased.destination
    union all
    select null, min(due - clock) from head where due > clock having count(*) > 0;
end $$;

-- How a message fared. False when the lease is another's by now.
create function octavo_settle(
    settled bigint, claimer text, held integer, result text, said integer, why text, pause interval, hold interval)
returns boolean
language plpgsql as $$
declare
    message outbox;
begin
    select * into message from outbox
    where id = settled and state = 'sending' and holder = claimer and attempt = held for update;
    if not found then return false; end if;
    update outbox set holder = null, status = said, error = why, next_at = clock_timestamp() + pause,
        state = case when result = 'sent' then 'sent' when result = 'gone' or attempt >= tries then 'dead'
            when result = 'unknown' then 'unknown' else 'queued' end,
        ended_at = case when result in ('sent', 'gone') or attempt >= tries then clock_timestamp() end
    where id = settled;
    if hold > interval '0' then
        update outbox_destination set held_until = greatest(held_until, clock_timestamp() + hold)
        where name = message.destination;
    end if;
    if result = 'gone' then
        update webhook set disabled = why where 'webhook/' || name = message.destination;
        update outbox set state = 'dead', error = why, ended_at = clock_timestamp()
        where destination = message.destination and state in ('queued', 'unknown');
    end if;
    return true;
end $$;
