-- A rule counts for the agent that makes the call, too, where a run asks others or is several at once. And whoever follows a run is
-- told what waits for a person in it. What an agent does about a text that comes too early may stand in its file.

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
    if time_left is null and not exists (
        -- Once it was asked for, the decision counts, whether or not it would still be asked for.
        select from approval where run_id = of_run and approval.step = its_step and hash = its_hash
            and state in ('pending', 'approved', 'denied', 'expired')
    ) or exists (
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

-- Tells whoever follows a run what it waits for, and of what was told so, how it was decided. Whoever holds the lease numbers the
-- events, so it is done while nobody does: nothing is told of a decision that came before the run was given back.
create function octavo_tell_approvals(of_run uuid) returns void
language plpgsql as $$
declare
    one approval;
    number integer;
begin
    for one in
        select * from approval
        where run_id = of_run and (
            state = 'pending' and told is null or state in ('approved', 'denied', 'expired') and told = 'pending')
        order by id
    loop
        update run_work set events = events + 1 where run_id = of_run and state = 'waiting' returning events into number;
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
    if goes_to = 'waiting' then perform octavo_tell_approvals(of_run); end if;
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

-- What the files of agents say, where nobody has said it for them in agent_conduct.
create table agent_file_conduct (
    agent text primary key,
    double_text text not null check (double_text in ('enqueue', 'reject', 'interrupt', 'rollback', 'merge'))
);

-- As it was, but that the conduct may be that of the file.
create or replace function octavo_say(
    talk uuid, text_id uuid, to_agent text, said text, by_reader text, on_channel text, usual_priority integer,
    usual_tries integer)
returns jsonb
language plpgsql as $$
declare
    held conversation;
    earlier conversation_text;
    conduct text;
    busy uuid[];
    waiting uuid;
    ended jsonb := '[]';
    asked bigint;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception using errcode = 'OC002',
            message = 'Nothing is said in a transaction that does not see what others commit.';
    end if;
    insert into conversation (id, agent, reader, channel) values (talk, to_agent, by_reader, on_channel)
    on conflict do nothing;
    select * into held from conversation where id = talk for update;
    if held.agent <> to_agent or held.reader is distinct from by_reader then
        raise exception using errcode = 'OC004', message = 'The conversation is another reader''s, or with another agent.';
    end if;
    select * into earlier from conversation_text where id = text_id;
    if found then
        if earlier.conversation_id <> talk or earlier.text <> said then
            raise exception using errcode = 'OC004', message = 'Another text was said under this id.';
        end if;
        return jsonb_build_object('run', earlier.run_id, 'new', false, 'how', earlier.how, 'ended', ended);
    end if;

    select array_agg(work.run_id) into busy from (
        select run_work.run_id from turn join run_work using (run_id)
        where conversation_id = talk and not rolled_back order by run_work.run_id for update of run_work
    ) as work;
    if busy is not null then
        select coalesce((select double_text from agent_conduct where agent = to_agent),
            (select double_text from agent_file_conduct where agent = to_agent), 'enqueue') into conduct;
        if conduct = 'reject' then
            raise exception using errcode = 'OC002',
                message = format('The agent is still at work on run %s: wait for it, or cancel it.', busy[1]);
        elsif conduct = 'merge' then
            -- One that has begun has read its question already.
            select run_work.run_id into waiting
            from turn join run_work using (run_id) join run on run.id = run_work.run_id
                join question on question.id = run.question_id
            where conversation_id = talk and run_work.attempt = 0
                and octet_length(question.text) + 1 + octet_length(said) <= 16384
            order by number desc limit 1;
            if waiting is not null then
                update question set text = text || E'\n' || said
                where id = (select question_id from run where id = waiting);
                insert into conversation_text (id, conversation_id, text, run_id, how)
                values (text_id, talk, said, waiting, 'merged');
                return jsonb_build_object('run', waiting, 'new', true, 'how', 'merged', 'ended', ended);
            end if;
        elsif conduct in ('interrupt', 'rollback') then
            select coalesce(jsonb_agg(jsonb_build_object('run', run, 'runner', runner, 'attempt', attempt)), '[]') into ended
            from octavo_conclude_all(busy, 'cancelled', 'cancelled', 'The reader has said something else.');
            if conduct = 'rollback' then update turn set rolled_back = true where run_id = any(busy); end if;
        end if;
    end if;

    insert into question (text, reader, channel) values (said, by_reader, on_channel) returning id into asked;
    insert into run (id, question_id, agent, model) values (text_id, asked, to_agent, '');
    insert into turn (conversation_id, number, run_id)
    select talk, coalesce(max(number), 0) + 1, text_id from turn where conversation_id = talk;
    insert into conversation_text (id, conversation_id, text, run_id, how) values (text_id, talk, said, text_id, 'asked');
    -- One at a time: what comes next reads what came before.
    insert into run_work (run_id, agent, state, ticket, priority, tries, lane, lane_width)
    values (text_id, to_agent, 'queued', nextval('run_ticket'), usual_priority, usual_tries, 'conversation ' || talk, 1);
    return jsonb_build_object('run', text_id, 'new', true, 'how', 'asked', 'ended', ended);
end $$;
