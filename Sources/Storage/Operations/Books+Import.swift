import Contract
import NIOCore
import Postgres
import RPC
import Wire

/// A section with the words it is found by, as the import statement reads it.
private struct IndexedSection: Encodable {
    var headings: [String]
    var anchor: String
    var text: String
    var words: [String]
    var weights: [Float]

    init(_ section: PutDocuments.SectionText, pageBegin: String) {
        headings = section.headings
        anchor = section.anchor
        text = section.text
        let weights = SectionWords(headings: section.headings, text: section.text, pageBegin: pageBegin).weights
        let weighed = weights.sorted { $0.key < $1.key }
        words = weighed.map(\.key)
        self.weights = weighed.map(\.value)
    }
}

private struct IndexedDocument: Encodable {
    var file: String
    var digest: String
    /// Nil when the document is stored as it is.
    var sections: [IndexedSection]?

    init(_ document: PutDocuments.Document, digest: String, isStored: Bool) {
        file = document.file
        self.digest = digest
        let begin = document.sections.first?.text ?? ""
        sections = isStored ? nil : document.sections.map { IndexedSection($0, pageBegin: begin) }
    }
}

extension Books {
    /// Stores documents beside the live ones. Which of them are stored already is asked first: only the others are taken
    /// apart, which takes the most time.
    func putDocuments(_ put: PutDocuments, _ call: CallContext) async throws -> JSON {
        let files = put.documents.map(\.file)
        guard Set(files).count == files.count else { throw ServiceError.invalidArgument("A file is named twice.") }
        guard files.allSatisfy({ (1...1000).contains($0.utf8.count) }) else {
            throw ServiceError.invalidArgument("A file's name has 1 to 1000 bytes.")
        }
        let stored = try await digests(of: put, call)
        let documents = zip(put.documents, stored).map {
            IndexedDocument($0, digest: $1.digest, isStored: $1.isStored)
        }
        let input = try JSON(encoding: documents).description
        let results = try await database.transaction(
            [
                requireImport(put.book, put.import),
                // What an earlier try of this import, or an import that never finished, had brought.
                "delete from document where book_id = \(put.book) and not live and file = any(\(files)::text[])",
                """
                with input as materialized (
                    select value ->> 'file' as file, value -> 'sections' as sections,
                        decode(value ->> 'digest', 'hex') as digest
                    from jsonb_array_elements(\(input)::text::jsonb)
                ), kept as (
                    update document set import = \(put.import) from input
                    where document.book_id = \(put.book) and document.live
                        and document.file = input.file and document.digest = input.digest
                    returning document.file
                ), added as (
                    insert into document (book_id, file, digest, import)
                    select \(put.book), file, digest, \(put.import) from input
                    -- What was stored when it was asked for may have been replaced since, by this import's own end.
                    where file not in (select file from kept) and (sections is not null
                        or octavo_refuse('OC002', 'This import was finished meanwhile; start it again.'))
                    returning id, file
                ), written as (
                    insert into section (document_id, book_id, file, position, headings, anchor, text, words, weights)
                    select added.id, \(put.book), added.file, entry.position,
                        array(select jsonb_array_elements_text(entry.section -> 'headings')),
                        entry.section ->> 'anchor', entry.section ->> 'text',
                        array(select jsonb_array_elements_text(entry.section -> 'words')),
                        array(select jsonb_array_elements_text(entry.section -> 'weights')::real)
                    from added join input using (file),
                        jsonb_array_elements(input.sections) with ordinality as entry (section, position)
                )
                select jsonb_build_object(
                    'changed', (select count(*) from added), 'unchanged', (select count(*) from kept))
                """,
            ],
            call
        )
        return try results.last.flatMap(Database.document) ?? .emptyObject
    }

    /// A digest over all that is stored of a document, and whether it is stored. What its sections are found by follows from
    /// them and from the version of ``SectionWords``, so that a better one reaches unchanged files too.
    private func digests(
        of put: PutDocuments,
        _ call: CallContext
    ) async throws -> [(digest: String, isStored: Bool)] {
        let rows = try await database.rows(
            """
            select encode(digest, 'hex') as digest, exists (
                select from document where document.book_id = \(put.book) and document.live
                    and document.file = input.file and document.digest = input.digest) as is_stored
            from (
                select position, value ->> 'file' as file,
                    sha256(convert_to(\(SectionWords.version)::text || (value -> 'sections')::text, 'UTF8')) as digest
                from jsonb_array_elements(\(try JSON(encoding: put.documents).description)::text::jsonb)
                    with ordinality as given (value, position)
            ) as input
            order by position
            """,
            isReadOnly: true,
            isShort: false,
            call
        )
        return try rows.map { row throws(PostgresError) in
            (try row["digest", as: String.self], try row["is_stored", as: Bool.self])
        }
    }

    /// Lets the new documents take the place of the old, and builds the index of the book's words, all in one transaction.
    /// A book that did not change keeps its index. It depends on nothing but the words and weights stored with the sections,
    /// which belong to what a document's digest is taken of.
    func finishImport(_ finish: FinishImport, _ call: CallContext) async throws -> JSON {
        let book = finish.book
        // Other imports wait for the lock of ANALYZE: in a transaction that goes on, that would be for long.
        let mayAnalyze = call.within == nil
        let results = try await database.transaction(
            [
                requireImport(book, finish.import),
                // The index of a large book is sorted in memory rather than on disk.
                "select set_config('work_mem', '64MB', true), set_config('statement_timeout', '300s', true)",
                """
                select set_config('octavo.changed', exists (
                    select from document where book_id = \(book) and live = (import < \(finish.import))
                )::text, true)
                """,
                """
                with gone as (
                    delete from document where book_id = \(book) and import < \(finish.import)
                        and (not live or not exists (
                            select from document as new
                            where new.book_id = \(book) and new.file = document.file and new.import = \(finish.import)))
                    returning live
                )
                select count(*) filter (where live) from gone
                """,
                """
                delete from document as old where book_id = \(book) and live and exists (
                    select from document as new where new.book_id = \(book) and new.file = old.file and not new.live)
                """,
                "update document set live = true where book_id = \(book) and not live",
                "delete from posting where book_id = \(book) and current_setting('octavo.changed')::boolean",
                "delete from spelling where book_id = \(book) and current_setting('octavo.changed')::boolean",
                // Not `now()`, `--jobs` or `=ON`: who misspells those misspells the word, which is there too.
                #"""
                insert into spelling (word, book_id, stem, sections)
                select word, \#(book), octavo_stem(word), count(*)
                from section, unnest(words) as word
                where current_setting('octavo.changed')::boolean
                    and book_id = \#(book) and word ~ '^\w' and word !~ '\(\)$'
                group by word
                """#,
                """
                insert into posting (word, book_id, sections, weights)
                with words as materialized (
                    select section.id, given.word, given.weight
                    from section, unnest(section.words, section.weights) as given (word, weight)
                    where current_setting('octavo.changed')::boolean and section.book_id = \(book)
                ), stems as materialized (
                    select word, octavo_stem(word) as stem from (select distinct word from words) as distinct_words
                )
                select stem, \(book), array_agg(id order by id), array_agg(weight order by id)
                from (
                    select stems.stem, words.id, sum(words.weight)::real as weight
                    from words join stems using (word) group by stems.stem, words.id
                ) as weighed
                group by stem
                """,
                """
                update book set section_count = (select count(*) from section where book_id = \(book)) where id = \(book)
                returning section_count, (select count(*) from document where book_id = \(book))
                """,
                // The first searches after an import should not be planned for empty tables.
                """
                do $$ begin
                    if \(unsafe: "\(mayAnalyze)") and current_setting('octavo.changed')::boolean then
                        analyze posting, spelling;
                    end if;
                end $$
                """,
            ],
            call
        )
        guard results.count == 12, let removed = results[3].first, let counts = results[10].first else {
            throw ServiceError.internal("The import could not be finished; the log of octavo-storage says more.")
        }
        return try JSON(
            encoding: FinishImport.Result(
                documents: Int(counts[1, as: Int64.self]),
                sections: Int(counts[0, as: Int32.self]),
                removed: Int(removed[0, as: Int64.self])
            )
        )
    }

    /// Holds the book for this transaction, and ends it when a newer import has begun.
    private func requireImport(_ book: Int, _ number: Int) -> Query {
        """
        select case
            when (select import from book where id = \(book) for update) = \(number) then true
            when exists (select from book where id = \(book))
                then octavo_refuse('OC002', 'Another import of this book has begun since; start this one again.')
            else octavo_refuse('OC001', 'There is no such book; begin the import first.')
        end
        """
    }
}
