import Contract
import Postgres
import RPC
import Wire

/// Making, renaming and deleting books.
enum BookEditing {
    static func add(to operations: inout Operations, _ statements: inout Statements) {
        statements.on(CreateBook.self, to: &operations) { create in try insert(create) }
        statements.on(SetBookTitle.self, to: &operations) { set in
            try check(set.title)
            return """
                with changed as (
                    update book set title = \(set.title) where id = \(set.book) returning id, title
                )
                select coalesce((select jsonb_build_object('id', id, 'title', title) from changed),
                    octavo_missing('There is no such book.'))
                """
        }
        statements.on(DeleteBook.self, to: &operations) { delete in
            """
            with gone as (delete from book where id = \(delete.book) returning id)
            select coalesce((select '{}'::jsonb from gone), octavo_missing('There is no such book.'))
            """
        }
    }

    private static func insert(_ create: CreateBook) throws(ServiceError) -> Query {
        try check(create.title)
        let authors = create.authors.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard authors.count <= 100 else { throw .invalidArgument("A book has at most 100 authors.") }
        for author in authors { try check(author) }
        return """
            with made as (
                insert into book (title) values (\(create.title)) returning id, title
            ), named as (
                insert into author (name) select unnest(\(authors)::text[])
                on conflict (name) do update set name = excluded.name
                returning id, name
            ), written as (
                insert into book_author (book_id, author_id, position)
                select made.id, named.id, given.position
                from made, named join unnest(\(authors)::text[]) with ordinality as given (name, position) using (name)
            )
            select jsonb_build_object('id', id, 'title', title, 'authors', to_jsonb(\(authors)::text[]), 'section_count', 0)
            from made
            """
    }

    private static func check(_ name: String) throws(ServiceError) {
        guard (1...300).contains(name.unicodeScalars.count) else {
            throw .invalidArgument("A title and a name have 1 to 300 characters.")
        }
    }
}
