-- Whose trace a run belongs to, by W3C Trace Context: that of whoever asked for it, also when it is carried out later, elsewhere,
-- or once more.
alter table run add column traceparent text;

-- With the traces of the runs. The one without them stays for programs that run while this is applied.
create function octavo_enqueue(
    runs uuid[], agents text[], texts text[], readers text[], channels text[], priorities integer[], tries integer[],
    delays bigint[], deadlines bigint[], traceparents text[])
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
        from unnest(runs, agents, texts, readers, channels, priorities, tries, delays, deadlines, traceparents)
                with ordinality
                as asked (run, agent, text, reader, channel, priority, tries, delay, deadline, traceparent, place),
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
        insert into run (id, question_id, agent, model, traceparent)
        select run, question_id, agent, '', nullif(traceparent, '') from sent where known is null
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

-- As before, and tells the runner the trace.
create or replace function octavo_claim(
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
