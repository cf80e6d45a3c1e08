-- Books, their authors and their sections, and the words sections are found by.

create extension if not exists pg_trgm;
create extension if not exists fuzzystrmatch;

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

-- Every way a book writes its words, with the number of sections: what a misspelt word is compared with.
create table spelling (
    word text not null,
    book_id bigint not null references book on delete cascade,
    stem text not null,
    sections integer not null,
    primary key (word, book_id)
);
-- With `fastupdate` on, every search after an import would read the list of what is still to be indexed.
create index spelling_trigrams on spelling using gin (word gin_trgm_ops) with (fastupdate = off);

-- A word's letters in order; the same for two words of which one has letters swapped.
create function octavo_letters(word text) returns text
language sql immutable parallel safe
return (select string_agg(letter, '' order by letter) from regexp_split_to_table(word, '') as letter);

-- The words of one book, or of all, that a misspelt one may mean, and how sure that is: those within one slip for up to
-- five letters, two for up to nine, else three, where two swapped letters are one slip. Each slip outweighs being found
-- twelve times as often (e to the 2.5th), and one in the first letter, which people seldom miss, counts double. Without
-- any, the words it may be the beginning of. Two swapped letters in a word of five leave a similarity in trigrams of 0.2.
create function octavo_meant(given text, book bigint)
returns table (word text, stem text, slips integer, sections bigint, confidence float8)
language sql stable rows 3
set pg_trgm.similarity_threshold = 0.2
-- Comparing with every word takes many times as long, however few the planner believes there are.
set enable_seqscan = off
as $$
    with alike as materialized (
        select spelling.word, min(spelling.stem) as stem, sum(spelling.sections) as sections,
            levenshtein_less_equal(spelling.word, given, 4) as distance
        from spelling
        where spelling.word % given and spelling.word <> given and (book is null or spelling.book_id = book)
            and abs(length(spelling.word) - length(given)) <= 3
        group by spelling.word
    ), near as (
        select *, distance - (distance >= 2 and octavo_letters(word) = octavo_letters(given))::int as slips
        from alike where distance <= 3
    ), rated as materialized (
        select *, ln(sections) - 2.5 * (slips + (left(word, 1) <> left(given, 1))::int) as likelihood
        from near where slips <= case when length(given) <= 5 then 1 when length(given) <= 9 then 2 else 3 end
    ), begun as (
        select spelling.word, min(spelling.stem) as stem, sum(spelling.sections) as sections
        from spelling
        where not exists (select from rated) and spelling.word like given || '%' and starts_with(spelling.word, given)
            and (book is null or spelling.book_id = book)
        group by spelling.word
    )
    (select word, stem, slips, sections,
        case when row_number() over (order by likelihood desc, word) = 1 then 1 - 0.1 * slips else 0.4 end
    from rated where likelihood > (select max(likelihood) from rated) - 1
    order by likelihood desc, word limit 3)
    union all
    (select word, stem, 0, sections, 0.5 from begun order by sections desc, word limit 3)
$$;
