-- A key stands no longer than its run is kept: nobody is told of a run that is not there. The tables are locked in the order of those
-- who accept runs, and `run` for a moment only; what breaks the constraint goes by the next migration.

-- locks: who accepts runs with keys waits while they are read, of which there may be as many as runs
create index run_unique_run on run_unique (run_id);
alter table run_unique add constraint run_unique_run_id_fkey foreign key (run_id) references run on delete cascade not valid;
