import Contract
import Postgres
import RPC
import Wire

/// The operations on books: what there is, and bringing documentation in.
struct Books: Sendable {
    let database: Database

    func add(to operations: inout Operations) {
        operations.onJSON(GetBook.self) { try await get($0, $1) }
        operations.onJSON(ListBooks.self) { try await list($0, $1) }
        operations.allowWithin(GetBook.self)
        operations.allowWithin(ListBooks.self)
        operations.onJSON(ListSources.self) { try await sources($0, $1) }
        operations.runOnEventLoop(GetBook.self)
        operations.runOnEventLoop(ListBooks.self)
        operations.onJSON(BeginImport.self) { try await beginImport($0, $1) }
        operations.onJSON(PutDocuments.self) { try await putDocuments($0, $1) }
        operations.onJSON(FinishImport.self) { try await finishImport($0, $1) }
        operations.allowWithin(BeginImport.self)
        operations.allowWithin(PutDocuments.self)
        operations.allowWithin(FinishImport.self)
    }

    private func get(_ get: GetBook, _ call: CallContext) async throws -> JSON {
        guard (1...1000).contains(get.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 1000.")
        }
        let found = try await database.json(
            """
            select book.id, coalesce(jsonb_build_object(
                'id', book.id, 'title', book.title, 'section_count', book.section_count,
                'authors', coalesce(
                    (select jsonb_agg(jsonb_build_object('id', author.id, 'name', author.name) order by book_author.position)
                     from book_author join author on author.id = book_author.author_id
                     where book_author.book_id = book.id), '[]')
                ) || case when book.section_count = 0 and \(get.after)::bigint = 0 then '{"sections": [], "next": null}'
                    else octavo_page(book.id, \(get.after), \(get.limit)) end, 'null')
            from book where book.id = \(key: get.book)
            """,
            isReadOnly: true,
            call
        )
        guard let found else { throw ServiceError.notFound("There is no book \(get.book).") }
        guard found != .null else {
            throw ServiceError.failedPrecondition(
                "The book has no section \(get.after) any more: it was imported anew. Begin with its first page."
            )
        }
        return found
    }

    private func list(_ list: ListBooks, _ call: CallContext) async throws -> JSON {
        guard (1...500).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 500.")
        }
        let books = try await database.json(
            """
            with page as (
                select id, title, section_count from book where id > \(list.after) order by id limit \(list.limit + 1)
            ), shown as (
                select * from page order by id limit \(list.limit)
            )
            select jsonb_build_object(
                'books', coalesce((
                    select jsonb_agg(jsonb_build_object(
                        'id', book.id, 'title', book.title, 'section_count', book.section_count,
                        'authors', coalesce(
                            (select jsonb_agg(author.name order by book_author.position)
                             from book_author join author on author.id = book_author.author_id
                             where book_author.book_id = book.id), '[]')) order by book.id)
                    from shown as book), '[]'),
                'next', case when (select count(*) from page) > \(list.limit) then (select max(id) from shown) end)
            """,
            isReadOnly: true,
            call
        )
        return books ?? .emptyObject
    }

    private func sources(_ list: ListSources, _ call: CallContext) async throws -> JSON {
        guard (1...100).contains(list.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 100.")
        }
        let books = try await database.json(
            """
            with page as (
                select id, title, sources from book where id > \(list.after) and sources <> '{}'
                order by id limit \(list.limit + 1)
            ), shown as (
                select * from page order by id limit \(list.limit)
            )
            select jsonb_build_object(
                'books', coalesce((
                    select jsonb_agg(jsonb_build_object(
                        'book', book.id, 'title', book.title, 'sources', book.sources,
                        'authors', coalesce(
                            (select jsonb_agg(author.name order by book_author.position)
                             from book_author join author on author.id = book_author.author_id
                             where book_author.book_id = book.id), '[]')) order by book.id)
                    from shown as book), '[]'),
                'next', case when (select count(*) from page) > \(list.limit) then (select max(id) from shown) end)
            """,
            isReadOnly: true,
            call
        )
        return books ?? .emptyObject
    }

    private func beginImport(_ begin: BeginImport, _ call: CallContext) async throws -> JSON {
        let authors = begin.authors.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard ([begin.title] + authors).allSatisfy({ (1...300).contains($0.unicodeScalars.count) }),
            authors.count <= 100
        else {
            throw ServiceError.invalidArgument(
                "A title and a name have 1 to 300 characters; a book has at most 100 authors."
            )
        }
        guard begin.sources.count <= 16, begin.sources.allSatisfy({ (1...4096).contains($0.utf8.count) }) else {
            throw ServiceError.invalidArgument("A book has at most 16 sources, of 1 to 4096 bytes each.")
        }
        let begun = try await database.json(
            """
            with begun as (
                insert into book (title, import, sources) values (\(begin.title), 1, \(begin.sources)::text[])
                on conflict (title) do update set import = book.import + 1, sources = excluded.sources
                returning id, import
            ), named as (
                insert into author (name) select unnest(\(authors)::text[])
                on conflict (name) do update set name = excluded.name
                returning id, name
            ), left_out as (
                delete from book_author using begun
                where book_author.book_id = begun.id and book_author.author_id not in (select id from named)
            ), written as (
                insert into book_author (book_id, author_id, position)
                select begun.id, named.id, given.position
                from begun, named join unnest(\(authors)::text[]) with ordinality as given (name, position) using (name)
                on conflict (book_id, author_id) do update set position = excluded.position
            )
            select jsonb_build_object('book', id, 'import', import) from begun
            """,
            call
        )
        return begun ?? .emptyObject
    }
}
