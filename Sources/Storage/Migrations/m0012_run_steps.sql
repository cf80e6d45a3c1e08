-- What runs buy: every call of a model or a tool, with its answer, so that nothing is bought twice; what it costs, and how
-- much may be spent.

create table run_step (
    run_id uuid not null references run on delete cascade,
    -- Its place in the run: `2` is the second call of a model, `2/call_7` a tool that its answer asked for.
    step text not null,
    attempt integer not null,
    kind text not null check (kind in ('model', 'tool')),
    -- Of the model, or of the tool.
    name text not null,
    -- Of what was asked: whoever asks something else does not get this answer.
    digest text not null,
    began_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    -- Null also when it ended without one.
    answer json,
    -- As estimated until it has ended.
    input_tokens bigint not null,
    cached_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    primary key (run_id, step, attempt)
);

-- Per million tokens, in whatever currency; from the day on.
create table model_price (
    model text not null,
    since date not null,
    input numeric not null check (input >= 0),
    cached numeric not null check (cached >= 0),
    output numeric not null check (output >= 0),
    primary key (model, since)
);

-- How much may be spent, by whom, in each period.
create table budget (
    name text primary key,
    -- Null: whichever.
    agent text,
    reader text,
    channel text,
    unit text not null check (unit in ('requests', 'tool_calls', 'tokens', 'money')),
    amount numeric not null check (amount >= 0),
    -- Null: for ever.
    period text check (period in ('hour', 'day', 'month')),
    period_began timestamptz not null default '-infinity',
    used numeric not null default 0
) with (fillfactor = 50);

create function octavo_cost(of_model text, at timestamptz, sent bigint, known bigint, received bigint)
returns numeric
language sql stable as $$
    select coalesce((
        select ((sent - least(known, sent)) * price.input + least(known, sent) * price.cached + received * price.output)
            / 1000000
        from model_price as price
        where model = of_model and since <= (at at time zone 'UTC')::date order by since desc limit 1), 0)
$$;

-- Usage and cost: sum it by run, agent, reader, channel, day or model.
create view run_cost as
select run.id as run, run.agent, question.reader, question.channel, (step.began_at at time zone 'UTC')::date as day,
    step.name as model, count(*) as requests, sum(input_tokens) as input_tokens, sum(cached_tokens) as cached_tokens,
    sum(output_tokens) as output_tokens,
    sum(octavo_cost(step.name, step.began_at, input_tokens, cached_tokens, output_tokens)) as cost
from run_step as step join run on run.id = step.run_id join question on question.id = run.question_id
where kind = 'model'
group by run.id, run.agent, question.reader, question.channel, day, step.name;

-- Takes what one step of a run needs from all budgets that are meant, or refuses: whoever comes at the same time waits for the row.
-- Settling gives back, or takes what it came to beyond the estimate, which is never refused: it was spent.
create function octavo_spend(of_run uuid, calls jsonb, is_settling boolean) returns void
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

-- A step begins, with what it needs taken from the budgets; or is there already. `repeats`: it may be done again when it is
-- not known whether it was done.
create function octavo_begin_step(
    of_run uuid, holder text, held integer, its_step text, its_kind text, its_name text, asked text, estimate bigint,
    repeats boolean)
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
    insert into run_step (run_id, step, attempt, kind, name, digest, input_tokens)
    values (of_run, its_step, held, its_kind, its_name, asked, estimate) on conflict do nothing;
    -- Not taken again for a call whose answer was lost.
    if found then
        perform octavo_spend(of_run, case its_kind
            when 'model' then jsonb_build_object('requests', 1, 'tokens', estimate,
                'money', octavo_cost(its_name, now(), estimate, 0, 0))
            else '{"tool_calls": 1}' end, false);
    end if;
    return json_build_object('state', 'begun');
end $$;

-- A step has ended; the budgets get back what it did not need. False when the lease is lost, or nothing was begun.
create function octavo_end_step(
    of_run uuid, holder text, held integer, its_step text, its_answer json, input bigint, cached bigint, output bigint)
returns boolean
language plpgsql as $$
declare
    begun run_step;
begin
    perform from run_work
    where run_id = of_run and runner = holder and attempt = held for key share;
    if not found then return false; end if;
    select * into begun from run_step where run_id = of_run and step = its_step and attempt = held for update;
    if not found then return false; end if;
    -- Said again, since the answer was lost.
    if begun.ended_at is not null then return true; end if;
    update run_step set ended_at = clock_timestamp(), answer = its_answer, input_tokens = input, cached_tokens = cached,
        output_tokens = output
    where run_id = of_run and step = its_step and attempt = held;
    if begun.kind = 'model' then
        perform octavo_spend(of_run, jsonb_build_object('tokens', input + output - begun.input_tokens, 'money',
            octavo_cost(begun.name, begun.began_at, input, cached, output)
                - octavo_cost(begun.name, begun.began_at, begun.input_tokens, 0, 0)), true);
    end if;
    return true;
end $$;
