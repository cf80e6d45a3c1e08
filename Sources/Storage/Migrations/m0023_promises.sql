-- What the protocol says and was not so, or not always.

-- Of an agent whose starts are limited, when how many were begun: those that count still, and others for some minutes.
-- `agent_limit.next_at`, which let more begin than were allowed, is only written by programs that run while this is applied.
create table agent_start (
    agent text not null,
    at timestamptz not null,
    runs integer not null,
    primary key (agent, at)
);

-- As before, but that no more are begun in any time of that length than the limit allows.
create or replace function octavo_claim(
    claimer text, agents text[], priorities integer[], providers text[], floors bigint[], most integer)
-- And how long a run has waited for its first lease.
returns table (document jsonb, again interval, waited interval)
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
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
            case when starts is not null then starts - (
                select coalesce(sum(runs), 0) from agent_start where agent_start.agent = offer.agent and at > clock - per) end
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
        insert into agent_start (agent, at, runs)
        select leased.agent, clock, count(*) from leased join agent_limit using (agent) where starts is not null
        group by leased.agent
        on conflict (agent, at) do update set runs = agent_start.runs + excluded.runs
    )
    select jsonb_build_object(
            'run', run.id, 'agent', run.agent, 'attempt', leased.attempt, 'next', leased.events + 1,
            'traceparent', run.traceparent,
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

create or replace function octavo_leave_lane() returns trigger
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(old.lane, 1));
    update run_work set state = 'queued', ticket = nextval('run_ticket')
    where run_id = (
        select run_id from run_work where lane = old.lane and state = 'waiting' and not has_turn
        order by ready_at limit 1 for update);
    return null;
end $$;

-- As it was, but in one order.
create or replace function octavo_conclude(runs uuid[], how text, code text, message text)
returns table (run uuid, runner text, attempt integer)
language plpgsql as $$
#variable_conflict use_column
begin
    -- The rows first and then the lanes, both in one order, so that two who end several runs hardly ever wait for each other in a circle.
    -- They may all the same: whoever leaves a lane takes the row of the next, which may be among those of another; and who ends runs by
    -- `octavo_finish` takes their lanes one by one. Postgres ends such a circle, and who was refused tries again.
    perform from run_work where run_id = any(runs) order by run_id for update;
    perform pg_advisory_xact_lock(key) from (
        select distinct hashtextextended(lane, 1) as key from run_work where run_id = any(runs) and has_turn order by key
    ) as lanes;
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

-- As it was, but that a call may be begun again by whoever has not heard that it was begun.
create or replace function octavo_call_tool(
    of_run uuid, holder text, held integer, its_step text, its_name text, asked text, its_arguments text, repeats boolean,
    caller text, demanded integer, demanded_why text)
returns json
language plpgsql as $$
declare
    time_left interval;
    found_one approval;
    its_hash text := octavo_approval_hash(its_name, its_arguments);
begin
    select least(min(approval_rule.within), demanded * interval '1 second') into time_left
    from run join approval_rule on approval_rule.agent in (run.agent, caller)
        or caller is null and its_step !~ '^[0-9]+/'
    where run.id = of_run and tool = its_name;
    if time_left is null and not exists (
        -- Once it was asked for, the decision counts, whether or not it would still be asked for.
        select from approval where run_id = of_run and approval.step = its_step and hash = its_hash
            and state in ('pending', 'approved', 'denied', 'expired')
    ) then
        return octavo_begin_step(of_run, holder, held, its_step, 'tool', its_name, asked, 0, repeats);
    end if;
    -- Who decides takes this row first, too.
    perform from run_work
    where run_id = of_run and state = 'running' and runner = holder and attempt = held for update;
    if not found then
        raise exception using errcode = 'OC002', message = 'The lease of the run is lost; it goes on elsewhere.';
    end if;
    -- Only now: the same call, whose connection broke, may have held the row until a moment ago.
    if exists (
        -- Answered, or nobody knows: it is not called in either case. Or begun by this attempt, which has not heard the answer: that has
        -- used up the approval.
        select from run_step where run_id = of_run and step = its_step and (
            digest = asked and (answer is not null or attempt = held and ended_at is null)
            or not repeats and attempt < held and ended_at is null)
    ) then
        return octavo_begin_step(of_run, holder, held, its_step, 'tool', its_name, asked, 0, repeats);
    end if;
    update approval set state = 'void'
    where run_id = of_run and step = its_step and state in ('pending', 'approved') and hash <> its_hash;
    select * into found_one from approval
    where run_id = of_run and step = its_step and hash = its_hash and state not in ('used', 'void')
    order by id desc limit 1 for update;
    if not found then
        insert into approval (run_id, step, tool, arguments, hash, expires_at, agent, cause)
        values (of_run, its_step, its_name, its_arguments, its_hash, clock_timestamp() + time_left, caller, demanded_why)
        returning * into found_one;
    elsif found_one.state in ('pending', 'approved') and found_one.expires_at <= clock_timestamp() then
        update approval set state = 'expired' where id = found_one.id returning * into found_one;
    end if;
    case found_one.state
        when 'pending' then return json_build_object('state', 'waiting');
        when 'approved' then
            update approval set state = 'used' where id = found_one.id;
            return octavo_begin_step(of_run, holder, held, its_step, 'tool', its_name, asked, 0, repeats);
        else
            return json_build_object('state', 'denied', 'reason', case found_one.state
                when 'expired' then 'Nobody has approved it in time.' else found_one.reason end);
    end case;
end $$;

-- The runs of a lane have their turn in the order in which they were accepted or fell due, whatever their priorities. Behind all that
-- takes time: nobody claims or ends a run until this migration ends.
drop index run_work_waiting;
-- locks: those that wait are few
create index run_work_next on run_work (lane, ready_at) where state = 'waiting' and not has_turn;

-- Messages to webhooks that were removed while they were on their way, and would wait for ever.
-- locks: they are few, if any. Last: whoever gives a runner up has the table of work before that of messages
update outbox set tries = case state when 'sending' then greatest(attempt, 1) else tries end,
    ended_at = case when state <> 'sending' then clock_timestamp() end,
    error = case state when 'sending' then error else 'The webhook was removed.' end,
    state = case state when 'sending' then state else 'dead' end
where state in ('queued', 'sending', 'unknown')
    and not exists (select from outbox_destination where name = outbox.destination);
