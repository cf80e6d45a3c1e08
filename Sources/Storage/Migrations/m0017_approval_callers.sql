-- A rule counts for the agent that makes the call, too, where a run asks others or is several at once. And whoever follows a run is
-- told what waits for a person in it.

alter table approval
    -- The agent that makes the call: the run's, or one that is part of it.
    add column agent text,
    -- Why a person has to approve it where no rule says so.
    add column cause text,
    -- The state that followers of the run were told of.
    add column told text;

-- A call of a tool begins, as octavo_begin_step; where a person has to approve it, when they have. An approval is for these
-- arguments of this call, and is used up by it in the same transaction: nobody uses it twice.
--
-- The rules of the run's agent count, and those of the agent `caller` that makes the call. An agent runner that does not say who does
-- gets the rules of all agents for a part of its run, whose steps have names that do not begin with a number. It may demand an
-- approval that no rule does, within so many seconds; the shortest time counts.
create function octavo_call_tool(
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
    if time_left is null or exists (
        -- Answered, or nobody knows: it is not called in either case.
        select from run_step where run_id = of_run and step = its_step and (
            digest = asked and answer is not null or not repeats and attempt < held and ended_at is null)
    ) then
        return octavo_begin_step(of_run, holder, held, its_step, 'tool', its_name, asked, 0, repeats);
    end if;
    -- Who decides takes this row first, too.
    perform from run_work
    where run_id = of_run and state = 'running' and runner = holder and attempt = held for update;
    if not found then
        raise exception using errcode = 'OC002', message = 'The lease of the run is lost; it goes on elsewhere.';
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

-- As a storage asks that has not been restarted since this migration.
create or replace function octavo_begin_tool(
    of_run uuid, holder text, held integer, its_step text, its_name text, asked text, its_arguments text, repeats boolean)
returns json
language sql as $$
    select octavo_call_tool(of_run, holder, held, its_step, its_name, asked, its_arguments, repeats, null, null, null)
$$;

-- Tells whoever follows a run what in it waits for a person, and what was decided. Whoever holds the lease numbers the events, so
-- it is done while nobody does; a call that is approved before the run is given back is told of then.
create function octavo_tell_approvals(of_run uuid) returns void
language plpgsql as $$
declare
    one approval;
    number integer;
begin
    for one in
        select * from approval
        where run_id = of_run and state in ('pending', 'approved', 'denied', 'expired') and told is distinct from state
        order by id
    loop
        update run_work set events = events + 1 where run_id = of_run and runner is null returning events into number;
        exit when number is null;
        insert into run_event (run_id, sequence, event)
        select of_run, number, json_build_object(
            'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'data', json_strip_nulls(json_build_object(
                'approval', one.id, 'state', one.state, 'agent', coalesce(one.agent, run.agent), 'tool', one.tool,
                'expires', to_char(one.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                'reason', one.reason)),
            'sequence', number, 'type', 'approval')
        from run where run.id = of_run;
        update approval set told = state where id = one.id;
    end loop;
end $$;

-- These are as they were, but that they tell.
create or replace function octavo_await(of_run uuid, holder text, held integer) returns text
language plpgsql as $$
declare
    goes_to text;
begin
    perform from run_work where run_id = of_run and state = 'running' and runner = holder and attempt = held for update;
    if not found then return null; end if;
    goes_to := case when exists (select from approval where run_id = of_run and approval.state = 'pending')
        then 'waiting' else 'queued' end;
    update run_work set state = goes_to, ticket = case goes_to when 'queued' then nextval('run_ticket') end, runner = null,
        leased_at = null
    where run_id = of_run;
    perform octavo_tell_approvals(of_run);
    return goes_to;
end $$;

create or replace function octavo_decide(decided bigint, is_approved boolean, who text, why text) returns uuid
language plpgsql as $$
declare
    of_run uuid;
begin
    select run_id into of_run from approval where id = decided;
    if not found then raise exception using errcode = 'OC001', message = 'There is no such approval.'; end if;
    perform from run_work where run_id = of_run for update;
    if not found then raise exception using errcode = 'OC002', message = 'The run has ended.'; end if;
    update approval set state = case when is_approved then 'approved' else 'denied' end, decided_at = clock_timestamp(),
        decided_by = who, reason = why
    where id = decided and state = 'pending' and expires_at > clock_timestamp();
    if not found then
        raise exception using errcode = 'OC002', message = 'It was decided before, or its time is over.';
    end if;
    perform octavo_tell_approvals(of_run);
    perform octavo_go_on(of_run);
    return of_run;
end $$;

create or replace function octavo_expire_approvals(most integer) returns setof uuid
language plpgsql as $$
declare
    late record;
begin
    for late in
        select id, run_id from approval where state = 'pending' and expires_at <= clock_timestamp()
        order by expires_at limit most
    loop
        perform from run_work where run_id = late.run_id for update;
        update approval set state = 'expired', decided_at = clock_timestamp() where id = late.id and state = 'pending';
        perform octavo_tell_approvals(late.run_id);
        perform octavo_go_on(late.run_id);
        return next late.run_id;
    end loop;
end $$;
