-- What a step costs follows from the price that was set for its model, and is else what the agent runner says: it knows the prices
-- of well-known models. What nobody knows the price of cannot be held to a budget of money, so such a budget refuses it.

alter table run_step
    -- In US dollars, as the agent runner says; as estimated until the step has ended. Null: it does not know.
    add column told_cost numeric,
    -- Which of several models gave the answer, where that is not the one in `name`.
    add column answered_by text;

-- Null while no price is set.
create function octavo_price(of_model text, at timestamptz, sent bigint, known bigint, received bigint) returns numeric
language sql stable as $$
    select ((sent - least(known, sent)) * price.input + least(known, sent) * price.cached + received * price.output) / 1000000
    from model_price as price
    where model = of_model and since <= (at at time zone 'UTC')::date order by since desc limit 1
$$;

create function octavo_step_cost(step run_step) returns numeric
language sql stable as $$
    select coalesce(
        octavo_price(coalesce(step.answered_by, step.name), step.began_at, step.input_tokens, step.cached_tokens,
            step.output_tokens),
        step.told_cost,
        -- One that has failed and sent nothing.
        case when step.ended_at is not null and step.input_tokens + step.output_tokens = 0 then 0 end)
$$;

create or replace view run_cost as
select run.id as run, run.agent, question.reader, question.channel, (bought.began_at at time zone 'UTC')::date as day,
    coalesce(answered_by, bought.name) as model, count(*) as requests, sum(input_tokens) as input_tokens,
    sum(cached_tokens) as cached_tokens, sum(output_tokens) as output_tokens,
    sum(coalesce(octavo_step_cost(bought), 0)) as cost,
    -- Requests of which nobody knows what they cost: it is not in the sum.
    count(*) filter (where octavo_step_cost(bought) is null) as unpriced
from run_step as bought join run on run.id = bought.run_id join question on question.id = run.question_id
where kind = 'model'
group by run.id, run.agent, question.reader, question.channel, day, coalesce(answered_by, bought.name);

-- As it was, but for a budget of money and a model whose price nobody knows.
create or replace function octavo_spend(of_run uuid, calls jsonb, is_settling boolean) returns void
language plpgsql as $$
declare
    asked record;
    one budget;
    need numeric;
    now_began timestamptz;
begin
    if not exists (select from budget) then return; end if;
    select run.agent, question.reader, question.channel into asked
    from run join question on question.id = run.question_id where run.id = of_run;
    for one in
        select * from budget
        where coalesce(agent = asked.agent, agent is null) and coalesce(reader = asked.reader, reader is null)
            and coalesce(channel = asked.channel, channel is null) and calls ? unit
        order by name for update
    loop
        need := (calls ->> one.unit)::numeric;
        now_began := coalesce(date_trunc(one.period, now(), 'UTC'), '-infinity');
        if need is null then
            continue when is_settling;
            raise exception using errcode = 'OC006', message = format(
                'The budget "%s" is of money, and nobody knows what %s costs. Set its price: octavo runs price.',
                one.name, calls ->> 'model');
        end if;
        if one.period_began <> now_began then
            -- What is settled belonged to the period before.
            continue when is_settling;
            one.used := 0;
        end if;
        if not is_settling and one.used + need > one.amount then
            raise exception using errcode = 'OC006',
                message = format('The budget "%s" is used up: %s of %s %s.', one.name, one.used, one.amount, one.unit);
        end if;
        update budget set used = greatest(0, one.used + need), period_began = now_began where name = one.name;
    end loop;
end $$;

-- As it was, with what the agent runner thinks that it will cost.
create function octavo_begin_step(
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
    if found then
        perform octavo_spend(of_run, case its_kind
            when 'model' then jsonb_build_object('requests', 1, 'tokens', estimate, 'model', its_name,
                'money', coalesce(octavo_price(its_name, now(), estimate, 0, 0), told))
            else '{"tool_calls": 1}' end, false);
    end if;
    return json_build_object('state', 'begun');
end $$;

-- As it was, with what it has cost, as the agent runner says, and who gave the answer.
create function octavo_end_step(
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
    if begun.kind = 'model' then
        perform octavo_spend(of_run, jsonb_build_object('tokens', input + output - begun.input_tokens,
            'money', octavo_step_cost(ended) - octavo_step_cost(begun)), true);
    end if;
    return true;
end $$;

-- For a storage that has not been restarted since this migration, and for tools.
create or replace function octavo_begin_step(
    of_run uuid, holder text, held integer, its_step text, its_kind text, its_name text, asked text, estimate bigint,
    repeats boolean)
returns json
language sql as $$
    select octavo_begin_step(of_run, holder, held, its_step, its_kind, its_name, asked, estimate, repeats, null)
$$;

create or replace function octavo_end_step(
    of_run uuid, holder text, held integer, its_step text, its_answer json, input bigint, cached bigint, output bigint)
returns boolean
language sql as $$
    select octavo_end_step(of_run, holder, held, its_step, its_answer, input, cached, output, null, null)
$$;

-- Replaced by octavo_price, which tells nothing from unknown.
drop function octavo_cost(text, timestamptz, bigint, bigint, bigint);
