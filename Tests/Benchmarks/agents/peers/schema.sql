create table question (
    id bigint generated always as identity primary key,
    reader text not null,
    text text not null,
    asked_at timestamptz not null default now()
);
