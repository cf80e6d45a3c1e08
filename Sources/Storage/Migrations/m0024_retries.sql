-- Whether a run was asked again already.
-- locks: it is read once
create index run_retry_of on run (retry_of) where retry_of is not null;
-- As those that have failed: few among all, and asked for by their state.
-- locks: it is read once
create index run_cancelled on run (id) where state = 'cancelled';
