-- Runs that are under way have a row of their own for all that changes meanwhile, which goes when they end. So what is
-- written all the time, with its indexes, stays as small as the work there is, however many runs are kept; `run` says what
-- was asked for, and how it ended.

create table run_work (
    run_id uuid primary key,
    agent text not null,
    state text not null check (state in ('scheduled', 'waiting', 'queued', 'running')),
    priority smallint not null check (priority between 0 and 3),
    -- When it falls due, or has fallen due: what its waiting is counted from.
    ready_at timestamptz not null default clock_timestamp(),
    -- Its place among the queued: a new one, the last, each time it is queued.
    ticket bigint,
    lane text,
    lane_width integer check ((lane_width > 0) = (lane is not null)),
    has_turn boolean not null default false,
    -- The number of the latest lease.
    attempt integer not null default 0,
    failures integer not null default 0,
    tries integer not null check (tries > 0),
    runner text,
    leased_at timestamptz,
    -- The number of the last event.
    events integer not null default 0,
    deadline_at timestamptz,
    parent_id uuid,
    check ((state = 'queued') = (ticket is not null)),
    check ((state = 'running') = (runner is not null))
) with (fillfactor = 70, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
create sequence run_ticket;

-- One short index for each question that is asked.
create index run_work_queue on run_work (agent, priority, ticket) where state = 'queued';
create index run_work_schedule on run_work (ready_at) where state = 'scheduled';
create index run_work_lease on run_work (runner, agent) where state = 'running';
create index run_work_deadline on run_work (deadline_at) where deadline_at is not null;
create index run_work_turn on run_work (lane) where has_turn;
create index run_work_waiting on run_work (lane, priority desc, ready_at) where state = 'waiting';
create index run_work_parent on run_work (parent_id) where parent_id is not null;

-- The sign of life behind all leases of a runner.
create table runner (
    id text primary key,
    -- Its connection: when one is lost and the next is there already, the runner is not.
    session bigint not null,
    alive_until timestamptz not null
) with (fillfactor = 50);

-- What an administrator allows the runs of an agent; nothing without a row.
create table agent_limit (
    agent text primary key,
    -- At a time.
    concurrent integer check (concurrent >= 0),
    -- So many begun in any time of this length.
    starts integer check (starts > 0),
    per interval check (per > interval '0'),
    -- When the next would begin, were they begun evenly. As far as it lies ahead, so many fewer may begin at once.
    next_at timestamptz not null default '-infinity',
    check ((starts is null) = (per is null))
) with (fillfactor = 50);

-- Until when nobody's runs ask a provider.
create table provider_hold (
    provider text primary key,
    until timestamptz not null
) with (fillfactor = 50);

-- For which run a unique key stands, and how long.
create table run_unique (
    key text primary key,
    run_id uuid not null,
    -- At least until then; null: as long as the run has not ended.
    until timestamptz,
    until_ended boolean not null
);

insert into run_work (run_id, agent, state, priority, ready_at, ticket, attempt, failures, tries, events)
select id, agent, 'queued', 1, created_at, nextval('run_ticket'), attempt, greatest(attempt - 1, 0), 5, events
from run where state in ('queued', 'running') order by id;

-- Its state is how it ended; null while it is under way.
drop index run_queued;
alter table run
    alter column state drop not null,
    alter column attempt set default 0,
    alter column events set default 0,
    add column parent_id uuid,
    add column retry_of uuid,
    drop column runner,
    drop column leased_at,
    drop column lease_until,
    drop constraint run_state_check;
-- locks: those under way are few
update run set state = null where state in ('queued', 'running');
-- locks: to be checked while rows are read is a matter of moments
alter table run add constraint run_state_check check (state in ('succeeded', 'failed', 'cancelled'));
-- locks: it is read once, while no run is begun
create index run_parent on run (parent_id) where parent_id is not null;
-- locks: it is read once, while no run is begun
create index run_failed on run (id) where state = 'failed';

-- Events are stored by the holder of the run's lease alone, which the statement that stores them sees to: to look at the run once
-- more, and lock it, would cost as much as storing the event. So it is the run that takes its events along.
-- locks: nothing is looked through
alter table run_event drop constraint run_event_run_id_fkey;
create function octavo_forget_events() returns trigger
language plpgsql as $$
begin
    delete from run_event using gone where run_event.run_id = gone.id;
    return null;
end $$;
create trigger run_forget_events after delete on run referencing old table as gone
    for each statement execute function octavo_forget_events();
