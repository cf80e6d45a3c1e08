-- An attempt that failed by something that may pass: the run is scheduled again, and whoever follows it is told why and until when; or
-- it ends, where that was the last try, or where the next would come later than `remaining` allows. One that is not counted, since the
-- provider is left alone, is given back as one more try. Nothing is done when the lease is another's by now.
-- locks: functions, and no table
create function octavo_fail(
    failed uuid, holder text, held integer, code text, message text, pause interval, remaining interval,
    is_counted boolean)
returns text
language plpgsql as $$
declare
    work run_work;
    again timestamptz;
begin
    select * into work from run_work
    where run_id = failed and state = 'running' and runner = holder and attempt = held for update;
    if not found then return null; end if;
    if is_counted and work.failures + 1 >= work.tries then
        perform octavo_conclude(array[failed], 'failed', code, message);
        return 'failed';
    end if;
    -- Those that wait for the same provider do not all come back at once.
    again := clock_timestamp() + case when is_counted
        then greatest(pause, least(300, 2 ^ work.failures) * (0.5 + random() / 2) * interval '1 second')
        else pause * (1 + random() / 8) end;
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
        tries = tries + case when is_counted then 0 else 1 end, events = work.events + 1
    where run_id = failed;
    return 'scheduled';
end $$;

-- For a storage that has not been restarted since this migration.
create or replace function octavo_fail(
    failed uuid, holder text, held integer, code text, message text, pause interval)
returns text
language sql as $$
    select octavo_fail(failed, holder, held, code, message, pause, null, true)
$$;
