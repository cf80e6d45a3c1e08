-- Books, their authors and their sections, and the words sections are found by.

create extension if not exists pg_trgm;

create table book (
    id bigint generated always as identity primary key,
    title text not null unique check (length(title) between 1 and 300),
    -- Counts the imports of this book. A document belongs to the last import that brought it.
    import bigint not null default 0,
    section_count integer not null default 0,
    created_at timestamptz not null default now()
);

create table author (
    id bigint generated always as identity primary key,
    name text not null unique check (length(name) between 1 and 300)
);

create table book_author (
    book_id bigint not null references book on delete cascade,
    author_id bigint not null references author on delete restrict,
    position integer not null,
    primary key (book_id, author_id)
);
create index on book_author (author_id);

-- A file of documentation. While an import runs, a changed file has two rows: the live one and the one to come.
create table document (
    id bigint generated always as identity primary key,
    book_id bigint not null references book on delete cascade,
    file text not null,
    digest bytea not null,
    import bigint not null,
    live boolean not null default false,
    unique (book_id, file, live)
);

create table section (
    id bigint generated always as identity primary key,
    document_id bigint not null references document on delete cascade,
    book_id bigint not null references book on delete cascade,
    file text not null,
    position integer not null,
    headings text[] not null,
    anchor text not null,
    text text not null,
    -- The words the section is found by, and how much each weighs in it; the index is built from these.
    words text[] not null,
    weights real[] not null
);
create index on section (document_id, position);
create index on section (book_id, file, position);

-- A word without its ending, as Postgres' English stemmer cuts it; operators, capitals and stop words stay as they are.
create function octavo_stem(word text) returns text
language sql immutable parallel safe
return coalesce((ts_lexize('english_stem', word))[1], word);

-- Ends a transaction with a sentence for the caller. OC001 stands for not_found, OC002 for failed_precondition.
create function octavo_refuse(code text, message text) returns boolean
language plpgsql as $$
begin
    raise exception using errcode = code, message = message;
end $$;

-- The index for search: for each book and word, the sections that hold it and how much it weighs there (BM25F, computed
-- when the book is imported). One row a word instead of one a section keeps a search to a handful of rows.
create table posting (
    word text not null,
    book_id bigint not null references book on delete cascade,
    sections bigint[] not null,
    weights real[] not null,
    primary key (word, book_id)
);
-- Finds the words a misspelt one may have meant.
create index posting_word_trigrams on posting using gin (word gin_trgm_ops);
