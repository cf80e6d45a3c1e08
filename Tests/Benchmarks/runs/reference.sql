create table reference_job (id bigint generated always as identity primary key, state text not null, question text not null);
create index on reference_job (id) where state = 'queued';
create index on reference_job (id) where state = 'running';
