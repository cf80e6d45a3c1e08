-- Of the failures of a run those that were none of its tries, since its provider was left alone; and since when it has waited for that.
-- locks: adding them writes no row
alter table run_work add column holds integer not null default 0, add column held_since timestamptz;

-- An attempt that failed by something that may pass: the run is scheduled again, and whoever follows it is told why and until when; or
-- it ends, where that was the last try, or where the next would come later than `remaining` allows. One that is held, since its provider
-- is left alone, is none of its tries for four minutes on end: a model server that is started anew may take some to load its model. Later
-- each counts, so that nobody waits for ever. Nothing is done when the lease is another's by now.
create function octavo_fail(
    failed uuid, holder text, held integer, code text, message text, pause interval, remaining interval, is_held boolean)
returns text
language plpgsql as $$
declare
    work run_work;
    since timestamptz;
    is_try boolean;
    grown interval;
    again timestamptz;
begin
    select * into work from run_work
    where run_id = failed and state = 'running' and runner = holder and attempt = held for update;
    if not found then return null; end if;
    if is_held then since := coalesce(work.held_since, clock_timestamp()); end if;
    is_try := since is null or since < clock_timestamp() - interval '4 minutes';
    if is_try and work.failures - work.holds + 1 >= work.tries then
        perform octavo_conclude(array[failed], 'failed', code, message);
        return 'failed';
    end if;
    -- Those that wait for the same provider do not all come back at once; and one that asks for no pause is asked ever more rarely.
    grown := case when is_held then least(30, 2 ^ least(work.holds, 5)) * interval '1 second'
        else least(300, 2 ^ least(work.failures - work.holds, 9)) * (0.5 + random() / 2) * interval '1 second' end;
    again := clock_timestamp() + greatest(pause, grown) * case when is_held then 1 + random() / 8 else 1 end;
    if again > clock_timestamp() + remaining then
        perform octavo_conclude(
            array[failed], 'failed', code, 'The limit of its time leaves none for another try. ' || message);
        return 'failed';
    end if;
    insert into run_event (run_id, sequence, event)
    values (failed, work.events + 1, json_build_object(
        'at', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'data', json_build_object('attempt', held, 'code', code, 'message', message,
            'until', to_char(again at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
        'sequence', work.events + 1, 'type', 'postponed'));
    update run_work set state = 'scheduled', runner = null, leased_at = null, failures = failures + 1, ready_at = again,
        holds = holds + case when is_try then 0 else 1 end, held_since = since, events = work.events + 1
    where run_id = failed;
    return 'scheduled';
end $$;

-- For a storage that has not been restarted since this migration.
create or replace function octavo_fail(
    failed uuid, holder text, held integer, code text, message text, pause interval)
returns text
language sql as $$
    select octavo_fail(failed, holder, held, code, message, pause, null, false)
$$;

-- As it was, but for what was none of the tries.
create or replace function octavo_lose(runs uuid[], attempts integer[]) returns setof uuid
language plpgsql as $$
declare
    again uuid[];
    over uuid[];
begin
    select array_agg(work.run_id) filter (where failures - holds + 1 < tries),
        array_agg(work.run_id) filter (where failures - holds + 1 >= tries) into again, over
    from (
        select run_work.* from run_work
            join unnest(runs, attempts) as lease (run_id, attempt) using (run_id, attempt)
        where state = 'running' order by run_id for update of run_work
    ) as work;
    update run_work set state = 'queued', ticket = nextval('run_ticket'), runner = null, leased_at = null,
        failures = failures + 1
    where run_id = any(again);
    if over is not null then
        perform octavo_conclude(
            over, 'failed', 'unavailable', 'The run was lost with its runner, and may not be tried again.');
    end if;
    return query select unnest(again || over);
end $$;
