-- Calls of tools that a person has to approve first: which ones, and what was asked and decided.

create table approval_rule (
    agent text not null,
    tool text not null,
    -- How long somebody has time to decide, and then the run to make use of it.
    within interval not null check (within > interval '0'),
    primary key (agent, tool)
);

create table approval (
    id bigint generated always as identity primary key,
    run_id uuid not null references run on delete cascade,
    -- The call's place in the run.
    step text not null,
    tool text not null,
    -- Exactly what is approved, and its hash: a call with other arguments is another one.
    arguments text not null,
    hash text not null,
    state text not null default 'pending' check (state in ('pending', 'approved', 'denied', 'expired', 'used', 'void')),
    asked_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    decided_at timestamptz,
    decided_by text,
    reason text
);
create index approval_run on approval (run_id, step);
create index approval_pending on approval (expires_at) where state = 'pending';

-- The name of the tool belongs to what is approved.
create function octavo_approval_hash(tool text, arguments text) returns text
language sql immutable as $$
    select encode(sha256(convert_to(tool || E'\n' || arguments, 'UTF8')), 'hex')
$$;

-- A call of a tool begins, as octavo_begin_step; where a person has to approve it, when they have. An approval is for these
-- arguments of this call, and is used up by it in the same transaction: nobody uses it twice.
create function octavo_begin_tool(
    of_run uuid, holder text, held integer, its_step text, its_name text, asked text, its_arguments text, repeats boolean)
returns json
language plpgsql as $$
declare
    rule approval_rule;
    found_one approval;
    its_hash text := octavo_approval_hash(its_name, its_arguments);
begin
    select approval_rule.* into rule from approval_rule join run using (agent) where run.id = of_run and tool = its_name;
    if rule.tool is null or exists (
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
        insert into approval (run_id, step, tool, arguments, hash, expires_at)
        values (of_run, its_step, its_name, its_arguments, its_hash, clock_timestamp() + rule.within)
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

-- An attempt that cannot go on without a person: the run waits, and keeps its turn; or goes on at once, when they have decided
-- meanwhile.
create function octavo_await(of_run uuid, holder text, held integer) returns text
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
    return goes_to;
end $$;

-- A run that waited for a person goes on, unless it waits for another decision as well. One that waits for its turn has none yet.
create function octavo_go_on(of_run uuid) returns void
language sql as $$
    update run_work set state = 'queued', ticket = nextval('run_ticket')
    where run_id = of_run and state = 'waiting' and (lane is null or has_turn)
        and not exists (select from approval where approval.run_id = of_run and approval.state = 'pending')
$$;

-- A person decides. Of several who do so at once, one has decided.
create function octavo_decide(decided bigint, is_approved boolean, who text, why text) returns uuid
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
    perform octavo_go_on(of_run);
    return of_run;
end $$;

-- What nobody has decided in time. Returns the runs that go on.
create function octavo_expire_approvals(most integer) returns setof uuid
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
        perform octavo_go_on(late.run_id);
        return next late.run_id;
    end loop;
end $$;

-- As it was, but that a run which waits for a person has its turn already.
create or replace function octavo_leave_lane() returns trigger
language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(old.lane, 1));
    update run_work set state = 'queued', ticket = nextval('run_ticket')
    where run_id = (
        select run_id from run_work where lane = old.lane and state = 'waiting' and not has_turn
        order by priority desc, ready_at limit 1 for update);
    return null;
end $$;
