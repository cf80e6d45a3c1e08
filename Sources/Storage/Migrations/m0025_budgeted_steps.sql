-- As it was, with how many of the tokens are those of the answer, which cost more than others. And a model's answer stands which tools
-- were called for, whatever is asked in its place by now: another day, an agent's file that was changed meanwhile. Another answer would
-- call tools once more that must not be repeated, or ask a person again for what they have decided, or are deciding.
create function octavo_begin_step(
    of_run uuid, holder text, held integer, its_step text, its_kind text, its_name text, asked text, estimate bigint,
    repeats boolean, told numeric, answering bigint)
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
    where run_id = of_run and step = its_step and answer is not null and (digest = asked or its_kind = 'model' and (exists (
        select from run_step as call
        where call.run_id = of_run and call.kind = 'tool' and starts_with(call.step, its_step || '/')
    ) or exists (
        -- A call that waits for a person is no step yet.
        select from approval
        where approval.run_id = of_run and starts_with(approval.step, its_step || '/') and state <> 'void')))
    order by attempt desc limit 1;
    if found then return json_build_object('state', 'answered', 'answer', earlier.answer); end if;
    if not repeats and exists (
        select from run_step where run_id = of_run and step = its_step and attempt < held and ended_at is null
    ) then
        return json_build_object('state', 'interrupted');
    end if;
    insert into run_step (run_id, step, attempt, kind, name, digest, input_tokens, output_tokens, told_cost)
    values (of_run, its_step, held, its_kind, its_name, asked, estimate - answering, answering, told) on conflict do nothing;
    -- Not taken again for a call whose answer was lost.
    if found and exists (select from budget) then
        perform octavo_spend(of_run, case its_kind
            when 'model' then jsonb_build_object('requests', 1, 'tokens', estimate, 'model', its_name,
                'money', coalesce(octavo_price(its_name, now(), estimate - answering, 0, answering), told))
            else '{"tool_calls": 1}' end, false);
    end if;
    return json_build_object('state', 'begun');
end $$;

-- For a storage that has not been restarted since this migration, and for tools. Which tokens are the answer's is not said: a budget
-- is kept if all of them are.
create or replace function octavo_begin_step(
    of_run uuid, holder text, held integer, its_step text, its_kind text, its_name text, asked text, estimate bigint,
    repeats boolean, told numeric)
returns json
language sql as $$
    select octavo_begin_step(of_run, holder, held, its_step, its_kind, its_name, asked, estimate, repeats, told, estimate)
$$;

-- Since when it is as it is: what was begun before has taken nothing from it, and gives nothing back.
alter table budget add column set_at timestamptz not null default '-infinity';

-- As it was, but a budget in which there is something left, only not enough for what a call may take, is not said to be used up. And what
-- is settled was `begun` at a time that the budget counts: in the period that is under way in it, after it was set. So its time is the
-- clock's, and not that of a transaction which may have waited for the row.
drop function octavo_spend(uuid, jsonb, boolean);
create function octavo_spend(of_run uuid, calls jsonb, is_settling boolean, begun timestamptz default null) returns void
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
        now_began := coalesce(date_trunc(one.period, clock_timestamp(), 'UTC'), '-infinity');
        -- Of what belonged to a period that is over, or to none, it has nothing.
        continue when is_settling and begun < greatest(now_began, one.period_began, one.set_at);
        if need is null then
            continue when is_settling;
            raise exception using errcode = 'OC006', message = format(
                'The budget "%s" is of money, and nobody knows what %s costs. Set its price: octavo runs price.',
                one.name, calls ->> 'model');
        end if;
        if one.period_began <> now_began then one.used := 0; end if;
        if not is_settling and one.used + need > one.amount then
            raise exception using errcode = 'OC006', message = case
                when one.used >= one.amount then
                    format('The budget "%s" is used up: %s of %s %s.',
                        one.name, trim_scale(one.used), trim_scale(one.amount), replace(one.unit, '_', ' '))
                -- Also where others give back, in a moment, most of what they have reserved.
                else format('The budget "%s" has no room for a call that may take %s: %s of %s %s are used or reserved.',
                    one.name, trim_scale(need), trim_scale(one.used), trim_scale(one.amount), replace(one.unit, '_', ' '))
                end;
        end if;
        update budget set used = greatest(0, one.used + need), period_began = now_began where name = one.name;
    end loop;
end $$;

-- As it was, for such an estimate, and with when it was begun.
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
        perform octavo_spend(of_run, jsonb_build_object('tokens', input + output - begun.input_tokens - begun.output_tokens,
            'money', octavo_step_cost(ended) - octavo_step_cost(begun)), true, begun.began_at);
    end if;
    return true;
end $$;
