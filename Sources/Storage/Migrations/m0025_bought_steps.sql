-- As it was, but that a model's answer stands which tools were called for, whatever is asked in its place by now: another day, an
-- agent's file that was changed meanwhile. Another answer would call tools once more that must not be repeated, or ask a person again
-- for what they have decided, or are deciding.
create or replace function octavo_begin_step(
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
