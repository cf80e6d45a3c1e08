-- Readers and their reading lists, and the keys by which a call is told from its repetition.

create table reader (
    id bigint generated always as identity primary key,
    -- What others know the reader by: a Slack user, a login.
    handle text not null constraint reader_handle unique check (length(handle) between 1 and 200),
    name text not null check (length(name) between 1 and 300),
    created_at timestamptz not null default now()
);

-- A book that a reader has kept, or a section of it. A section is named by where it stands, since an import replaces the
-- rows of sections that changed; both are empty for the book as a whole.
create table reading_list_entry (
    id bigint generated always as identity primary key,
    reader_id bigint not null constraint reading_list_entry_reader references reader on delete cascade,
    book_id bigint not null constraint reading_list_entry_book references book on delete cascade,
    file text not null,
    anchor text not null,
    headings text[] not null,
    summary text check (length(summary) <= 2000),
    added_at timestamptz not null default now(),
    unique (reader_id, book_id, file, anchor)
);
create index on reading_list_entry (book_id);

-- A caller's intention, written by the transaction that carries it out: whoever never heard of the commit asks again with
-- the same key. A second transaction of the same key waits here until the first has ended.
create table intention (
    key text primary key,
    -- Of the call: the same key must not stand for something else.
    digest bytea not null,
    result json,
    created_at timestamptz not null default now()
);
create index on intention using brin (created_at);

-- In the place of a document that was not found: ends the transaction.
create function octavo_missing(message text) returns jsonb
language plpgsql as $$
begin
    raise exception using errcode = 'OC001', message = message;
end $$;
