-- As it was, but a budget in which there is something left, only not enough for what a call may take, is not said to be used up.
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
