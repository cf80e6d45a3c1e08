import Contract
import Postgres
import RPC
import Wire

/// The operations on reading lists.
enum ReadingLists {
    static func add(to operations: inout Operations, _ statements: inout Statements) {
        statements.on(GetReadingList.self, isReadOnly: true, to: &operations) { get in try page(get) }
        statements.on(AddToReadingList.self, to: &operations) { add in try keep(add) }
        statements.on(RemoveFromReadingList.self, to: &operations) { remove in
            """
            with gone as (
                delete from reading_list_entry where reader_id = \(remove.reader) and id = \(remove.entry) returning id
            )
            select coalesce((select '{}'::jsonb from gone), octavo_missing('There is no such entry on this list.'))
            """
        }
    }

    /// The reader, the entries, their books, authors and sections: all in one statement.
    private static func page(_ get: GetReadingList) throws(ServiceError) -> Query {
        guard (1...200).contains(get.limit) else { throw .invalidArgument("limit has to be from 1 to 200.") }
        return """
            with page as (
                select * from reading_list_entry
                where reader_id = \(get.reader) and (\(get.before)::bigint is null or id < \(get.before))
                order by id desc limit \(get.limit + 1)
            ), shown as (
                select * from page order by id desc limit \(get.limit)
            ), entries as (
                select entry.id, \(unsafe: document) as document
                from shown as entry join book on book.id = entry.book_id left join lateral (\(unsafe: section)) as section on true
            )
            select coalesce((
                select jsonb_build_object(
                    'reader', \(unsafe: Readers.document),
                    'entries', coalesce((select jsonb_agg(document order by id desc) from entries), '[]'),
                    'next', case when (select count(*) from page) > \(get.limit) then (select min(id) from shown) end)
                from reader where id = \(get.reader)
            ), octavo_missing('There is no such reader.'))
            """
    }

    private static func keep(_ add: AddToReadingList) throws(ServiceError) -> Query {
        guard add.summary.map({ $0.unicodeScalars.count <= 2000 }) ?? true else {
            throw .invalidArgument("summary has to have at most 2000 characters.")
        }
        return """
            with kept as (
                insert into reading_list_entry (reader_id, book_id, file, anchor, headings, summary)
                select \(add.reader), \(add.book), coalesce(section.file, ''), coalesce(section.anchor, ''),
                    coalesce(section.headings, '{}'), \(add.summary)
                from (select) as nothing
                    left join section on section.id = \(add.section)::bigint and section.book_id = \(add.book)
                where \(add.section)::bigint is null or section.id is not null
                on conflict (reader_id, book_id, file, anchor) do update
                    set summary = coalesce(excluded.summary, reading_list_entry.summary)
                returning *, xmax = 0 as is_new
            )
            select coalesce((
                select \(unsafe: document) || jsonb_build_object('new', entry.is_new)
                from kept as entry join book on book.id = entry.book_id left join lateral (\(unsafe: section)) as section on true
            ), octavo_missing(case when exists (select from book where id = \(add.book))
                then 'There is no such section in this book.' else 'There is no such book.' end))
            """
    }

    /// An entry as the contract has it.
    private static let document = """
        jsonb_build_object(
            'id', entry.id, 'summary', entry.summary, 'section', section.id,
            'added', to_char(entry.added_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
            'book', jsonb_build_object('id', book.id, 'title', book.title, 'authors', coalesce(
                (select jsonb_agg(author.name order by book_author.position)
                 from book_author join author on author.id = book_author.author_id
                 where book_author.book_id = book.id), '[]')))
        """

    /// The section of an entry, by where it stands.
    private static let section = """
        select section.id from section join document on document.id = section.document_id and document.live
        where entry.headings <> '{}' and section.book_id = entry.book_id
            and section.file = entry.file and section.anchor = entry.anchor
        order by section.headings <> entry.headings, section.position limit 1
        """
}
