-- The transitions of protocol/runs.md that storage makes by itself. The others are statements beside their operations.

-- In the place of a document, where a statement refuses what it is asked.
create function octavo_raise(code text, message text) returns jsonb
language plpgsql as $$
begin
    raise exception using errcode = code, message = message;
end $$;

-- A run comes up in its lane: it has its turn, or waits. Whoever enters or leaves a lane does so alone.
create function octavo_enter_lane() returns trigger
language plpgsql as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using errcode = 'OC002',
            message = 'A run of a lane cannot be accepted in a transaction that does not see what others commit.';
    end if;
    perform pg_advisory_xact_lock(hashtextextended(new.lane, 1));
    if (select count(*) from run_work where lane = new.lane and has_turn) < new.lane_width then
        new.has_turn := true;
    else
        new.state := 'waiting';
        new.ticket := null;
    end if;
    return new;
end $$;

-- A run of a lane has ended, however that came: the next has its turn.
create function octavo_leave_lane() returns trigger
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(old.lane, 1));
    update run_work set state = 'queued', ticket = nextval('run_ticket')
    where run_id = (
        select run_id from run_work where lane = old.lane and state = 'waiting'
        order by priority desc, ready_at limit 1 for update);
    return null;
end $$;

create trigger run_work_enter_lane before insert or update of state on run_work for each row
    when (new.state = 'queued' and new.lane is not null and not new.has_turn) execute function octavo_enter_lane();
create trigger run_work_leave_lane after delete on run_work for each row
    when (old.has_turn) execute function octavo_leave_lane();

-- Ends runs that are under way, with their last event. Returns those it has ended, with the leases they had.
create function octavo_conclude(runs uuid[], how text, code text, message text)
returns table (run uuid, runner text, attempt integer)
language plpgsql as $$
#variable_conflict use_column
begin
    return query
    with ended as (
        delete from run_work where run_id = any(runs)
        returning run_id, runner, attempt, events + 1 as events
    ), outcome as (
        select ended.*, json_build_object(
            'state', how, 'citations', '[]'::json, 'supported', false, 'model', run.model,
            'error', json_build_object('code', code, 'message', message), 'timeline', '[]'::json,
            'usage', bought.usage) as outcome
        from ended join run on run.id = ended.run_id, lateral (
            -- What is known of: a call whose answer was lost is a request of nobody knows how many tokens.
            select json_build_object('requests', count(*),
                'input_tokens', coalesce(sum(input_tokens) filter (where ended_at is not null), 0),
                'output_tokens', coalesce(sum(output_tokens) filter (where ended_at is not null), 0)) as usage
            from run_step where run_step.run_id = ended.run_id and kind = 'model'
        ) as bought
    ), told as (
        insert into run_event (run_id, sequence, event)
        select run_id, events, json_build_object(
            'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', outcome,
            'sequence', events, 'type', 'finished')
        from outcome
    ), recorded as (
        update run set state = how, attempt = outcome.attempt, events = outcome.events, outcome = outcome.outcome,
            finished_at = clock_timestamp()
        from outcome where run.id = outcome.run_id
    )
    select run_id, runner, attempt from ended;
end $$;

-- Ends runs, and cancels the runs they have begun: generation by generation, so that one that was being begun meanwhile is
-- seen when its parent is gone.
create function octavo_conclude_all(runs uuid[], how text, code text, message text)
returns table (run uuid, runner text, attempt integer)
language plpgsql as $$
begin
    while runs is not null loop
        return query select * from octavo_conclude(runs, how, code, message);
        select array_agg(id) into runs from run where parent_id = any(runs);
        how := 'cancelled';
        code := 'cancelled';
        message := 'The run that has begun this one has ended.';
    end loop;
end $$;

-- Leases whose runner is gone: their runs are queued again, or end where that was the last try.
create function octavo_lose(runs uuid[], attempts integer[]) returns setof uuid
language plpgsql as $$
declare
    again uuid[];
    over uuid[];
begin
    select array_agg(work.run_id) filter (where failures + 1 < tries),
        array_agg(work.run_id) filter (where failures + 1 >= tries) into again, over
    from (
        select run_work.* from run_work
            join unnest(runs, attempts) as lease (run_id, attempt) using (run_id, attempt)
        where state = 'running' order by run_id for update of run_work
    ) as work;
    update run_work set state = 'queued', ticket = nextval('run_ticket'), runner = null, leased_at = null,
        failures = failures + 1
    where run_id = any(again);
    if over is not null then
        perform octavo_conclude(
            over, 'failed', 'unavailable', 'The run was lost with its runner, and may not be tried again.');
    end if;
    return query select unnest(again || over);
end $$;

-- An attempt that failed by something that may pass: the run is scheduled again, or ends where that was the last try.
-- Nothing is done when the lease is another's by now.
create function octavo_fail(
    failed uuid, holder text, held integer, code text, message text, pause interval)
returns text
language plpgsql as $$
declare
    work run_work;
begin
    select * into work from run_work
    where run_id = failed and state = 'running' and runner = holder and attempt = held for update;
    if not found then return null; end if;
    if work.failures + 1 >= work.tries then
        perform octavo_conclude(array[failed], 'failed', code, message);
        return 'failed';
    end if;
    update run_work set state = 'scheduled', runner = null, leased_at = null, failures = failures + 1,
        ready_at = clock_timestamp() + greatest(
            pause, least(300, 2 ^ work.failures) * (0.5 + random() / 2) * interval '1 second')
    where run_id = failed;
    return 'scheduled';
end $$;

-- Whether the last of these events is stored with the same bytes.
create function octavo_is_stored(run uuid, last integer, events json) returns boolean
language sql stable as $$
    select exists (
        select from run_event
        where run_id = run and sequence = last
            and event::text = (events -> (json_array_length(events) - 1))::text)
$$;

-- Those that take several at once are functions for their settings: whatever the statistics say of a table that is empty at
-- one moment and full at the next, rows are found along its index, in the order in which they were given. That is the order of
-- their ids, each once, so that no two of them ever wait for each other in a circle. `= any(array[…])` is `=` that no plan takes for
-- a join of two sides of which one may be read to its end: to the statistics a table that holds little has no dead rows.

-- Accepts runs for later: those without lane, unique key and parent. For each, whether it is new; null when its id belongs to
-- another question. 0 is no delay, and no deadline.
create function octavo_enqueue(
    runs uuid[], agents text[], texts text[], readers text[], channels text[], priorities integer[], tries integer[],
    delays bigint[], deadlines bigint[])
returns setof boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    with sent as materialized (
        select asked.*, known, case when known is null then nextval('question_id_seq') end as question_id
        from unnest(runs, agents, texts, readers, channels, priorities, tries, delays, deadlines) with ordinality
                as asked (run, agent, text, reader, channel, priority, tries, delay, deadline, place),
            -- The one in the other: of a join with nothing in it, one would be read to its end.
            lateral (
                select (select question.text from question where question.id = (
                    select run.question_id from run where run.id = asked.run)) as known
                offset 0
            ) as earlier
    ), asked as (
        insert into question (id, text, reader, channel) overriding system value
        select question_id, text, nullif(reader, ''), channel from sent where known is null
    ), opened as (
        insert into run (id, question_id, agent, model) select run, question_id, agent, '' from sent where known is null
    ), placed as (
        insert into run_work (run_id, agent, state, ticket, priority, tries, ready_at, deadline_at)
        select run, agent, case when delay = 0 then 'queued' else 'scheduled' end,
            case when delay = 0 then nextval('run_ticket') end, priority, tries,
            clock_timestamp() + delay * interval '1 millisecond',
            clock_timestamp() + nullif(deadline, 0) * interval '1 millisecond'
        from sent where known is null
    )
    select case when known is null then true when known = text then false end from sent order by place;
end $$;

-- Stores events of holders of leases. For each, whether they are stored: by now, or before with the same bytes. Who is its runner
-- says that a run is running; to ask for the state as well would allow a plan that reads all runs of the runner for each.
create function octavo_append(
    runs uuid[], runners text[], attempts integer[], firsts integer[], lasts integer[], events text[])
returns setof boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    with sent as materialized (
        select * from unnest(runs, runners, attempts, firsts, lasts, events) with ordinality
            as sent (run, runner, attempt, first, last, events, place)
    ), held as (
        update run_work set events = greatest(run_work.events, last)
        from sent
        where run_id = any(array[run]) and run_work.runner = sent.runner and run_work.attempt = sent.attempt
            and run_work.events >= first - 1
        returning run, place, first, sent.events
    ), stored as (
        insert into run_event (run_id, sequence, event)
        select run, first - 1 + number, event
        from held, json_array_elements(events::json) with ordinality as said (event, number)
        on conflict do nothing
    )
    select exists (select from held where held.place = sent.place) or octavo_is_stored(run, last, sent.events::json)
    from sent order by place;
end $$;

-- The same, where the last of the events is `finished`: records how the runs ended.
create function octavo_finish(
    runs uuid[], runners text[], attempts integer[], firsts integer[], lasts integer[], events text[], states text[],
    models text[])
returns setof boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    with sent as materialized (
        select * from unnest(runs, runners, attempts, firsts, lasts, events, states, models) with ordinality
            as sent (run, runner, attempt, first, last, events, state, model, place)
    ), held as (
        delete from run_work using sent
        where run_id = any(array[run]) and run_work.runner = sent.runner and run_work.attempt = sent.attempt
            and run_work.events >= first - 1
        returning run, place, first, last, greatest(run_work.events, last) as highest, sent.attempt, sent.events, sent.state, model
    ), said as materialized (
        select run, place, first - 1 + number as sequence, event
        from held, json_array_elements(events::json) with ordinality as said (event, number)
    ), stored as (
        insert into run_event (run_id, sequence, event) select run, sequence, event from said
        on conflict do nothing
    ), recorded as (
        update run set state = held.state, model = held.model, attempt = held.attempt, events = highest,
            finished_at = clock_timestamp(), outcome = event -> 'data'
        from held join said using (run, place)
        where run.id = any(array[held.run]) and sequence = last
        returning question_id, outcome ->> 'answer' as answer
    ), answered as (
        update question set answer = recorded.answer, answered_at = clock_timestamp()
        from recorded where question.id = any(array[recorded.question_id])
    )
    select exists (select from held where held.place = sent.place) or octavo_is_stored(run, last, sent.events::json)
    from sent order by place;
end $$;

-- Leases up to `most` runs to a runner: of the given queues, each an agent and a priority with its provider, behind the
-- ticket up to which nothing is left in it. A row without a document says when to look again.
--
-- A function for its settings: whatever the statistics say of a table that is empty at one moment and full at the next, a
-- queue is read along its index.
create function octavo_claim(
    claimer text, agents text[], priorities integer[], providers text[], floors bigint[], most integer)
-- And how long a run has waited for its first lease.
returns table (document jsonb, again interval, waited interval)
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    clock timestamptz;
begin
    -- One claim at a time, over all hosts, so that limits are kept to exactly: each sees what the one before has leased.
    perform pg_advisory_xact_lock(7091318, 5);
    clock := clock_timestamp();
    -- Held until the leases are there, or a runner that is given up meanwhile would keep them for ever.
    perform from runner where id = claimer and alive_until > clock for key share;
    if not found then
        raise exception using errcode = 'OC005', message = 'The runner was given up; claim again.';
    end if;
    return query
    with queue as (
        select * from unnest(agents, priorities, providers, floors) as queue (agent, priority, provider, floor)
    ), room as materialized (
        -- How many of each agent may begin now.
        select offer.agent, limits.agent is not null as is_limited, held.until, greatest(0, least(
            case when held.until > clock then 0 else most end,
            case when concurrent is not null then concurrent - (
                select count(*) from run_work where run_work.agent = offer.agent and state = 'running') end,
            case when starts is not null then
                floor(extract(epoch from clock + per - greatest(next_at, clock)) / extract(epoch from per) * starts) end
            ))::integer as room
        from (select distinct queue.agent, queue.provider from queue) as offer
            left join agent_limit as limits on limits.agent = offer.agent
            left join provider_hold as held on held.provider = offer.provider and held.until > clock
    ), candidate as (
        select work.*, row_number() over (partition by work.agent order by work.since, work.ticket) as place, room.room
        from queue join room on room.agent = queue.agent and room.room > 0, lateral (
            select run_id, run_work.agent, ticket, ready_at - run_work.priority * interval '1 minute' as since
            from run_work
            where state = 'queued' and run_work.agent = queue.agent and run_work.priority = queue.priority
                and ticket > queue.floor
            order by ticket limit room.room
        ) as work
    ), first as materialized (
        select run_id, ticket from candidate where place <= candidate.room order by since, ticket limit most
    ), free as materialized (
        -- By its ticket it is still queued. To ask for the state would allow a plan that reads the whole queue for each.
        select run_work.run_id from run_work join first on run_work.run_id = any(array[first.run_id])
        where run_work.ticket = any(array[first.ticket]) for update of run_work skip locked
    ), leased as (
        update run_work set state = 'running', ticket = null, attempt = run_work.attempt + 1, runner = claimer,
            leased_at = clock
        from free where run_work.run_id = any(array[free.run_id])
        returning run_work.*
    ), counted as (
        update agent_limit set next_at = greatest(next_at, clock) + per / starts * begun.count
        from (select agent, count(*) from leased group by agent) as begun
        where agent_limit.agent = begun.agent and starts is not null
    )
    select jsonb_build_object(
            'run', run.id, 'agent', run.agent, 'attempt', leased.attempt, 'next', leased.events + 1,
            'question', jsonb_strip_nulls(jsonb_build_object(
                'text', question.text, 'reader', question.reader, 'channel', question.channel))),
        null::interval,
        case when leased.attempt = 1 then clock - leased.ready_at end
    from leased, lateral (select * from run where run.id = leased.run_id offset 0) as run,
        lateral (select * from question where question.id = run.question_id offset 0) as question
    union all
    -- A provider's time is known; where a limit is reached, nothing tells when a run of another host has ended.
    select null, min(coalesce(room.until - clock, interval '100 ms')), null
    from room
    where (room.is_limited or room.until is not null)
        and room.room <= (select count(*) from leased where leased.agent = room.agent)
        and exists (
            select from queue join run_work using (agent, priority)
            where queue.agent = room.agent and state = 'queued' and ticket > queue.floor)
    having count(*) > 0;
end $$;
