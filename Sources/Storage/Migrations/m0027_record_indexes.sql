-- What takes long where much is kept, and keeps nobody waiting who accepts, claims or ends runs; but for the last, which comes last.

-- Keys of runs that are not kept any more. New ones there are none: the constraint is there, and counts for whatever is written.
delete from run_unique where not exists (select from run where run.id = run_unique.run_id);
-- locks: none that keeps anybody from reading or writing rows
alter table run_unique validate constraint run_unique_run_id_fkey;

-- What was bought of late is found among all that ever was in a few pages, and costs each step nothing.
-- locks: steps wait as long as they are all read, once, for some seconds of ten million; runs are accepted and given out meanwhile
create index run_step_began on run_step using brin (began_at);
