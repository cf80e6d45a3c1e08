-- A plan that may not read a table from end to end, of a table with nothing in it, counts as so expensive that Postgres compiles it
-- anew each time it is carried out: half a millisecond a run, for nothing. It counts also for what these functions set off, such as
-- telling webhooks of the end of a run.
-- locks: functions, and no table
do $$
declare
    one regprocedure;
begin
    for one in
        select oid::regprocedure from pg_proc
        where pronamespace = current_schema::regnamespace and prokind = 'f' and proname like 'octavo\_%'
            and proconfig @> array['enable_seqscan=off']
    loop
        execute format('alter function %s set jit = off', one);
    end loop;
end $$;
