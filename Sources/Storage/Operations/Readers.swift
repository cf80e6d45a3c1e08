import Contract
import Postgres
import RPC
import Wire

/// The operations on readers.
enum Readers {
    static func add(to operations: inout Operations, _ statements: inout Statements) {
        statements.on(GetReader.self, to: &operations, missing: "There is no such reader.") { get in
            "select id, \(unsafe: document) from reader where id = \(key: get.reader)"
        } _: { get in
            """
            select coalesce((select \(unsafe: document) from reader where id = \(get.reader)),
                octavo_missing('There is no such reader.'))
            """
        }
        statements.on(ListReaders.self, isReadOnly: true, to: &operations) { list in try page(list) }
        statements.on(CreateReader.self, to: &operations) { create in
            try check(handle: create.handle)
            try check(name: create.name)
            return """
                insert into reader (handle, name) values (\(create.handle), \(create.name))
                returning \(unsafe: document)
                """
        }
        statements.on(SetReaderName.self, to: &operations) { set in
            try check(name: set.name)
            return """
                with changed as (
                    update reader set name = \(set.name) where id = \(set.reader) returning *
                )
                select coalesce((select \(unsafe: document) from changed as reader),
                    octavo_missing('There is no such reader.'))
                """
        }
        statements.on(DeleteReader.self, to: &operations) { delete in
            """
            with gone as (delete from reader where id = \(delete.reader) returning id)
            select coalesce((select '{}'::jsonb from gone), octavo_missing('There is no such reader.'))
            """
        }
    }

    /// A reader as the contract has it.
    static let document = "jsonb_build_object('id', reader.id, 'handle', reader.handle, 'name', reader.name)"

    private static func page(_ list: ListReaders) throws(ServiceError) -> Query {
        guard (1...500).contains(list.limit) else { throw .invalidArgument("limit has to be from 1 to 500.") }
        return """
            with page as (
                select * from reader where id > \(list.after) order by id limit \(list.limit + 1)
            ), shown as (
                select * from page order by id limit \(list.limit)
            )
            select jsonb_build_object(
                'readers', coalesce((select jsonb_agg(\(unsafe: document) order by id) from shown as reader), '[]'),
                'next', case when (select count(*) from page) > \(list.limit) then (select max(id) from shown) end)
            """
    }

    private static func check(handle: String) throws(ServiceError) {
        guard Reader.handleLength.contains(handle.unicodeScalars.count) else {
            throw .invalidArgument("handle has to have 1 to \(Reader.handleLength.upperBound) characters.")
        }
    }

    private static func check(name: String) throws(ServiceError) {
        guard Reader.nameLength.contains(name.unicodeScalars.count) else {
            throw .invalidArgument("name has to have 1 to \(Reader.nameLength.upperBound) characters.")
        }
    }
}
