-- As they were, but that a run which is there is the same only where all is that makes a question one: its words, whoever asks, where,
-- and which agent. One that answers in a conversation is said again there. `is_same` is null where there is no such run.
create or replace function octavo_enqueue(
    runs uuid[], agents text[], texts text[], readers text[], channels text[], priorities integer[], tries integer[],
    delays bigint[], deadlines bigint[], traceparents text[])
returns setof boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    return query
    with sent as materialized (
        select asked.*, is_same, case when is_same is null then nextval('question_id_seq') end as question_id
        from unnest(runs, agents, texts, readers, channels, priorities, tries, delays, deadlines, traceparents)
                with ordinality
                as asked (run, agent, text, reader, channel, priority, tries, delay, deadline, traceparent, place),
            -- The one in the other: of a join with nothing in it, one would be read to its end.
            lateral (
                select (
                    select run.agent = asked.agent and (select turn.run_id from turn where turn.run_id = run.id) is null and (
                        select question.text = asked.text and question.channel = asked.channel
                            and question.reader is not distinct from nullif(asked.reader, '')
                        from question where question.id = run.question_id)
                    from run where run.id = asked.run) as is_same
                offset 0
            ) as earlier
    ), asked as (
        insert into question (id, text, reader, channel) overriding system value
        select question_id, text, nullif(reader, ''), channel from sent where is_same is null
    ), opened as (
        insert into run (id, question_id, agent, model, traceparent)
        select run, question_id, agent, '', nullif(traceparent, '') from sent where is_same is null
    ), placed as (
        insert into run_work (run_id, agent, state, ticket, priority, tries, ready_at, deadline_at)
        select run, agent, case when delay = 0 then 'queued' else 'scheduled' end,
            case when delay = 0 then nextval('run_ticket') end, priority, tries,
            clock_timestamp() + delay * interval '1 millisecond',
            clock_timestamp() + nullif(deadline, 0) * interval '1 millisecond'
        from sent where is_same is null
    )
    select case when is_same is null then true when is_same then false end from sent order by place;
end $$;

create or replace function octavo_open(
    runs uuid[], runners text[], agents text[], models text[], texts text[], readers text[], channels text[], tries integer[],
    deadlines bigint[], events text[], steps text[], digests text[], estimates bigint[], costs bigint[], traceparents text[])
returns setof text
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    begins boolean := not exists (select from budget);
begin
    return query
    with sent as materialized (
        select asked.*, is_same, case when is_same is null then nextval('question_id_seq') end as question_id
        from unnest(runs, runners, agents, models, texts, readers, channels, tries, deadlines, events, steps, digests, estimates,
                    costs, traceparents)
                with ordinality as asked (
                    run, runner, agent, model, text, reader, channel, tries, deadline, event, step, digest, estimate, cost,
                    traceparent, place),
            -- The one in the other: of a join with nothing in it, one would be read to its end.
            lateral (
                select (
                    select run.agent = asked.agent and (select turn.run_id from turn where turn.run_id = run.id) is null and (
                        select question.text = asked.text and question.channel = asked.channel
                            and question.reader is not distinct from nullif(asked.reader, '')
                        from question where question.id = run.question_id)
                    from run where run.id = asked.run) as is_same
                offset 0
            ) as earlier
    ), held as materialized (
        -- Until the leases are there, or a runner that is given up meanwhile would keep them for ever.
        select id from runner where id = any(array(select runner from sent)) order by id for key share
    ), fresh as materialized (
        select sent.* from sent where is_same is null and runner = any(array(select id from held))
    ), asked as (
        insert into question (id, text, reader, channel) overriding system value
        select question_id, text, nullif(reader, ''), channel from fresh
    ), opened as (
        insert into run (id, question_id, agent, model, traceparent)
        select run, question_id, agent, model, nullif(traceparent, '') from fresh
    ), leased as (
        insert into run_work (run_id, agent, state, priority, tries, deadline_at, attempt, runner, leased_at, events)
        select run, agent, 'running', 1, tries, clock_timestamp() + nullif(deadline, 0) * interval '1 millisecond', 1, runner,
            clock_timestamp(), 1
        from fresh
    ), told as (
        insert into run_event (run_id, sequence, event) select run, 1, event::json from fresh
    ), begun as (
        insert into run_step (run_id, step, attempt, kind, name, digest, input_tokens, told_cost)
        select run, step, 1, 'model', model, digest, estimate, nullif(cost, -1) / 1000000.0
        from fresh where begins and step <> ''
    )
    select case
        when is_same is null and not runner = any(array(select id from held)) then 'given up'
        when is_same is null and begins and step <> '' then '{"attempt":1,"begun":true}'
        when is_same is null then '{"attempt":1}'
        when not is_same then 'another'
        else coalesce((
            select json_build_object('attempt', run_work.attempt)::text from run_work
            where run_work.run_id = any(array[sent.run]) and run_work.runner = sent.runner), '{"attempt":null}')
    end
    from sent order by place;
end $$;
