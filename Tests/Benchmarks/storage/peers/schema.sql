create table author (id bigint generated always as identity primary key, name text not null);
create table book (id bigint generated always as identity primary key, title text not null);
create table book_author (
    id bigint generated always as identity primary key,
    book_id bigint not null references book on delete cascade,
    author_id bigint not null references author on delete cascade,
    unique (book_id, author_id)
);
create index on book_author (author_id);
create table reader (id bigint generated always as identity primary key, name text not null);
insert into author (name) select 'Author ' || g from generate_series(1, 2000) as g;
insert into book (title) select 'Book title number ' || g from generate_series(1, 10000) as g;
insert into book_author (book_id, author_id)
select b, (b * 7 + k * 131) % 2000 + 1 from generate_series(1, 10000) as b, generate_series(0, 2) as k;
insert into reader (name) select 'Reader ' || g from generate_series(1, 10000) as g;
vacuum analyze;
