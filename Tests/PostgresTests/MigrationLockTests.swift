import Testing

@testable import Postgres

/// What a migration would lock, read from its text.
@Suite struct MigrationLockTests {
    private func locks(_ sql: String) -> [MigrationLock] {
        Migration(number: 1, name: "test", sql: sql).locks
    }

    @Test(arguments: [
        "create table book (id bigint primary key, author bigint references author); create index on book (author)",
        "create table public.book (id int); alter table book add primary key (id); create unique index a on only public.book (id)",
        "CREATE TABLE \"Book\" (id int); CREATE INDEX ON \"Book\" (id)",
        "alter table book add column note text",
        "alter table book add column sources text[] not null default '{}', add column seen timestamptz default now()",
        "alter table book add n int default -1, alter column title drop not null, drop constraint c, rename to b",
        "alter table book add constraint c check (n > 0) not valid; alter table only book validate constraint c",
        "alter table book alter title set default upper('x'), alter column title set statistics 100",
        "update book set title = 'x' where id = 1; delete from book where id = 2; insert into book values (1)",
        "create function f() returns int language plpgsql as $$ begin lock table book; truncate book; end $$",
        "create function f() returns int begin atomic select case when true then 1 end; update book set n = 1; end",
        "select ';create index on book (id);'; comment on table book is 'it''s; drop table book'",
        "/* create index on book (id); /* nested; */ */ -- lock table book;\nselect 1",
        "create extension if not exists pg_trgm; create or replace view v as select 1; analyze book",
    ])
    func whatTakesAMomentIsNoLock(sql: String) {
        #expect(locks(sql).isEmpty, "\(locks(sql))")
    }

    @Test(arguments: [
        ("create index on book (title)", "CREATE INDEX locks book"),
        ("create table if not exists book (id int); create index on book (id)", "CREATE INDEX locks book"),
        ("create index concurrently on book (title)", "cannot be part of a migration"),
        ("alter table book alter column id type bigint", "ALTER TABLE locks book until it is written anew"),
        ("alter table book alter id set not null", "until every row was checked"),
        ("alter table book add check (length(title) > 0)", "until every row was checked"),
        ("alter table book add author bigint references author", "until every row was checked"),
        ("alter table book add constraint u unique (title)", "until every row was checked"),
        ("alter table book add column key uuid default gen_random_uuid()", "until it is written anew"),
        ("alter table book add column n int default 1 + 1", "until it is written anew"),
        ("alter table book add id bigint generated always as identity", "until it is written anew"),
        ("alter table book add id bigserial", "until it is written anew"),
        ("alter table book set unlogged", "until it is written anew"),
        ("alter table book attach partition p default", "for as long as nobody knows"),
        ("alter table book add note text; update book set note = '' where note is null", "Rows are changed while book"),
        ("create table a (b int references book); insert into book select 1", "Rows are changed while book"),
        ("update book set n = 1", "UPDATE without WHERE"),
        ("delete from only book", "DELETE without WHERE"),
        ("truncate book", "TRUNCATE locks book"),
        ("drop table if exists book", "DROP TABLE takes book"),
        ("lock table book", "LOCK locks"),
        ("vacuum full book", "VACUUM locks"),
        ("refresh materialized view m", "REFRESH locks"),
        ("do $x$ begin null; end $x$", "cannot be read"),
        ("create rule r as on insert to book do nothing", "cannot be read"),
    ])
    func whatOthersWaitForIsALock(sql: String, why: String) throws {
        let found = locks(sql)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.why.contains(why) == true, "\(found)")
        #expect(found.first?.excuse == nil)
    }

    @Test func aReasonExcusesItsOwnStatementOnly() {
        let sql = """
            -- Authors are found by name.
            -- locks: the table has a handful of rows
            create index on author (name);

            create index on book (title);
            -- locks:
            create index on reader (name);
            """
        let found = locks(sql)
        #expect(found.map(\.line) == [3, 5, 7])
        #expect(found.map(\.excuse) == ["the table has a handful of rows", nil, nil])
    }

    @Test(arguments: [
        "'", "\"", "$$", "/*", "--", "$", "e'\\", "create", "alter table", ";;", "create index on", "(((",
    ])
    func textThatIsCutShortIsReadToItsEnd(sql: String) {
        _ = locks(sql)
        _ = locks(sql + " create index on book (title);")
    }
}
