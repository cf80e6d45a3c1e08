-- The same data in Octavo's schema as peers/schema.sql has in the peers'.
truncate book, author, reader restart identity cascade;
insert into author (name) select 'Author ' || g from generate_series(1, 2000) as g;
insert into book (title) select 'Book title number ' || g from generate_series(1, 10000) as g;
insert into book_author (book_id, author_id, position)
select b, (b * 7 + k * 131) % 2000 + 1, k + 1 from generate_series(1, 10000) as b, generate_series(0, 2) as k;
insert into reader (handle, name) select 'reader-' || g, 'Reader ' || g from generate_series(1, 10000) as g;
vacuum analyze;
