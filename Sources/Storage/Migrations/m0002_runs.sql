-- Questions, runs and their events.

create table question (
    id bigint generated always as identity primary key,
    text text not null,
    reader text,
    channel text not null,
    asked_at timestamptz not null default now(),
    answer text,
    answered_at timestamptz
);

create table run (
    id uuid primary key,
    question_id bigint not null references question on delete cascade,
    agent text not null,
    model text not null,
    state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    attempt integer not null,
    -- Who holds the lease, and until when without a sign of life.
    runner text,
    leased_at timestamptz,
    lease_until timestamptz,
    events integer not null,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    -- json, not jsonb: the text is passed on as it was written.
    outcome json,
    check ((state = 'running') = (runner is not null))
);
create index on run (question_id);
-- Few rows at any time: the work that waits, and the work that is leased.
create index run_queued on run (id) where state = 'queued';
create index run_leased on run (runner, lease_until) where state = 'running';

create table run_event (
    run_id uuid not null references run on delete cascade,
    sequence integer not null,
    -- json, not jsonb: who follows a run later gets the same bytes as who watched it.
    event json not null,
    primary key (run_id, sequence)
);
