-- Schedules: at which times which runs begin. protocol/schedules.md says what they mean.

create table schedule (
    id bigint generated always as identity primary key,
    name text not null unique,
    -- As it was written; its times are those of the clocks in the zone.
    cron text not null,
    zone text not null,
    agent text not null,
    question text not null,
    priority smallint not null,
    tries integer not null check (tries > 0),
    deadline_ms bigint check (deadline_ms > 0),
    -- What becomes of ticks that nobody was there for.
    catch_up text not null check (catch_up in ('none', 'last', 'all')),
    catch_up_most integer not null check (catch_up_most > 0),
    paused boolean not null default false,
    created_at timestamptz not null default now(),
    -- The next tick. Whoever moves it on fires: of several hosts one finds it where it was.
    next_at timestamptz not null,
    -- The tick that was fired last.
    last_at timestamptz,
    -- Ticks that nobody was there for, and that were not caught up with.
    missed bigint not null default 0
) with (fillfactor = 70);
create index schedule_next on schedule (next_at) where not paused;

-- Which run a tick has begun. The latest of each schedule are kept.
create table schedule_tick (
    schedule_id bigint not null references schedule on delete cascade,
    at timestamptz not null,
    run_id uuid not null,
    fired_at timestamptz not null default clock_timestamp(),
    primary key (schedule_id, at)
);

-- From when on clocks in a zone stand how many seconds before UTC, for about a year back and nine ahead: the days on which
-- they are changed are looked for first, and then the quarter of an hour.
create function octavo_zone_offsets(zone text) returns table (since bigint, seconds integer)
language sql stable as $$
    with day as materialized (
        select at, (at at time zone zone) - (at at time zone 'UTC') as ahead
        from generate_series(date_trunc('day', now(), 'UTC') - 400 * interval '24 hours',
            date_trunc('day', now(), 'UTC') + 3400 * interval '24 hours', interval '24 hours') as day (at)
    ), change as (
        select at from (select at, ahead, lag(ahead) over (order by at) as earlier from day) as day
        where earlier <> ahead
    ), quarter as (
        select quarter.at, quarter.ahead, lag(quarter.ahead) over (partition by change.at order by quarter.at) as earlier
        from change, lateral (
            select at, (at at time zone zone) - (at at time zone 'UTC') as ahead
            from generate_series(change.at - interval '24 hours', change.at, interval '15 minutes') as quarter (at)
        ) as quarter
    )
    (select extract(epoch from at)::bigint, extract(epoch from ahead)::integer from day order by at limit 1)
    union all
    (select extract(epoch from at)::bigint, extract(epoch from ahead)::integer from quarter
    where earlier <> ahead order by at)
$$;
