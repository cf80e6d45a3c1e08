-- What a live run writes, of many runs at once: its opening together with the first call of its model, and its end together with
-- what that call answered. Functions for their settings, as those of m0011.

-- Opens runs that readers wait for, in the order of their ids, each with its lease and its first event; a run with a step begins
-- that too, unless a budget has to be asked. For each the answer of `runs.open`, or a word: `given up` when its runner was,
-- `another` when the id belongs to another question. 0 is no deadline, an empty step none, and -1 a cost that nobody knows.
create function octavo_open(
    runs uuid[], runners text[], agents text[], models text[], texts text[], readers text[], channels text[], tries integer[],
    deadlines bigint[], events text[], steps text[], digests text[], estimates bigint[], costs bigint[], traceparents text[])
returns setof text
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    begins boolean := not exists (select from budget);
begin
    return query
    with sent as materialized (
        select asked.*, known, case when known is null then nextval('question_id_seq') end as question_id
        from unnest(runs, runners, agents, models, texts, readers, channels, tries, deadlines, events, steps, digests, estimates,
                    costs, traceparents)
                with ordinality as asked (
                    run, runner, agent, model, text, reader, channel, tries, deadline, event, step, digest, estimate, cost,
                    traceparent, place),
            -- The one in the other: of a join with nothing in it, one would be read to its end.
            lateral (
                select (select question.text from question where question.id = (
                    select run.question_id from run where run.id = asked.run)) as known
                offset 0
            ) as earlier
    ), held as materialized (
        -- Until the leases are there, or a runner that is given up meanwhile would keep them for ever.
        select id from runner where id = any(array(select runner from sent)) order by id for key share
    ), fresh as materialized (
        select sent.* from sent where known is null and runner = any(array(select id from held))
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
        when known is null and not runner = any(array(select id from held)) then 'given up'
        when known is null and begins and step <> '' then '{"attempt":1,"begun":true}'
        when known is null then '{"attempt":1}'
        when known <> text then 'another'
        else coalesce((
            select json_build_object('attempt', run_work.attempt)::text from run_work
            where run_work.run_id = any(array[sent.run]) and run_work.runner = sent.runner), '{"attempt":null}')
    end
    from sent order by place;
end $$;

-- As before, and in the same transaction what steps answered that have ended just before: of each run a list as
-- `runs.append_events` has it.
create function octavo_finish(
    runs uuid[], runners text[], attempts integer[], firsts integer[], lasts integer[], events text[], states text[],
    models text[], ended text[])
returns setof boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
    -- What a budget gets back is looked up step by step.
    if exists (select from budget) then
        -- Of several runs, each of which may mean others: taken one by one, two such transactions could wait for each other.
        perform from budget order by name for update;
        perform octavo_end_step(run, runner, attempt, step ->> 'step', step -> 'answer', (step ->> 'input_tokens')::bigint,
            (step ->> 'cached_tokens')::bigint, (step ->> 'output_tokens')::bigint,
            (step ->> 'microdollars')::bigint / 1000000.0, step ->> 'model')
        from unnest(runs, runners, attempts, ended) as sent (run, runner, attempt, ended), json_array_elements(ended::json) as step;
    end if;
    return query
    with sent as materialized (
        select * from unnest(runs, runners, attempts, firsts, lasts, events, states, models, ended) with ordinality
            as sent (run, runner, attempt, first, last, events, state, model, ended, place)
    ), held as (
        delete from run_work using sent
        where run_id = any(array[run]) and run_work.runner = sent.runner and run_work.attempt = sent.attempt
            and run_work.events >= first - 1
        returning run, place, first, last, greatest(run_work.events, last) as highest, sent.attempt, sent.events, sent.state, model,
            ended
    ), settled as (
        update run_step set ended_at = clock_timestamp(), answer = said -> 'answer',
            input_tokens = (said ->> 'input_tokens')::bigint, cached_tokens = (said ->> 'cached_tokens')::bigint,
            output_tokens = (said ->> 'output_tokens')::bigint, told_cost = (said ->> 'microdollars')::bigint / 1000000.0,
            answered_by = nullif(said ->> 'model', name)
        from held, json_array_elements(held.ended::json) as said
        where run_id = any(array[run]) and step = any(array[said ->> 'step']) and run_step.attempt = held.attempt
            and ended_at is null
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

-- As they were, but that what a call costs is only looked up where there is a budget: that takes more than all the rest.
create or replace function octavo_begin_step(
    of_run uuid, holder text, held integer, its_step text, its_kind text, its_name text, asked text, estimate bigint,
    repeats boolean, told numeric)
returns json
language plpgsql as $$
declare
    earlier run_step;
begin
    perform from run_work
    where run_id = of_run and runner = holder and attempt = held for key share;
    if not found then
        raise exception using errcode = 'OC002', message = 'The lease of the run is lost; it goes on elsewhere.';
    end if;
    select * into earlier from run_step
    where run_id = of_run and step = its_step and digest = asked and answer is not null
    order by attempt desc limit 1;
    if found then return json_build_object('state', 'answered', 'answer', earlier.answer); end if;
    if not repeats and exists (
        select from run_step where run_id = of_run and step = its_step and attempt < held and ended_at is null
    ) then
        return json_build_object('state', 'interrupted');
    end if;
    insert into run_step (run_id, step, attempt, kind, name, digest, input_tokens, told_cost)
    values (of_run, its_step, held, its_kind, its_name, asked, estimate, told) on conflict do nothing;
    -- Not taken again for a call whose answer was lost.
    if found and exists (select from budget) then
        perform octavo_spend(of_run, case its_kind
            when 'model' then jsonb_build_object('requests', 1, 'tokens', estimate, 'model', its_name,
                'money', coalesce(octavo_price(its_name, now(), estimate, 0, 0), told))
            else '{"tool_calls": 1}' end, false);
    end if;
    return json_build_object('state', 'begun');
end $$;

create or replace function octavo_end_step(
    of_run uuid, holder text, held integer, its_step text, its_answer json, input bigint, cached bigint, output bigint,
    told numeric, by_model text)
returns boolean
language plpgsql as $$
declare
    begun run_step;
    ended run_step;
begin
    perform from run_work
    where run_id = of_run and runner = holder and attempt = held for key share;
    if not found then return false; end if;
    select * into begun from run_step where run_id = of_run and step = its_step and attempt = held for update;
    if not found then return false; end if;
    -- Said again, since the answer was lost.
    if begun.ended_at is not null then return true; end if;
    update run_step set ended_at = clock_timestamp(), answer = its_answer, input_tokens = input, cached_tokens = cached,
        output_tokens = output, told_cost = told, answered_by = nullif(by_model, begun.name)
    where run_id = of_run and step = its_step and attempt = held
    returning * into ended;
    if begun.kind = 'model' and exists (select from budget) then
        perform octavo_spend(of_run, jsonb_build_object('tokens', input + output - begun.input_tokens,
            'money', octavo_step_cost(ended) - octavo_step_cost(begun)), true);
    end if;
    return true;
end $$;
