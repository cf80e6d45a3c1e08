import Contract
import Postgres
import RPC
import Wire

/// The operations on sections: finding and reading them.
struct Sections: Sendable {
    let database: Database

    func add(to operations: inout Operations) {
        operations.onJSON(GetSections.self) { try await get($0, $1) }
        operations.on(SearchSections.self) { try await search($0, $1) }
    }

    private func get(_ get: GetSections, _ call: CallContext) async throws -> JSON {
        guard get.sections.count <= 50 else { throw ServiceError.invalidArgument("At most 50 sections are given at once.") }
        let found = try await database.json(
            """
            select jsonb_build_object('sections', coalesce(jsonb_agg(jsonb_build_object(
                'id', section.id, 'book', jsonb_build_object('id', book.id, 'title', book.title),
                'headings', section.headings, 'file', section.file, 'anchor', section.anchor, 'text', section.text
            ) order by wanted.position), '[]'))
            from unnest(\(get.sections)::bigint[]) with ordinality as wanted (id, position)
                join section using (id)
                join document on document.id = section.document_id and document.live
                join book on book.id = section.book_id
            """,
            deadline: call.deadline
        )
        return found ?? .emptyObject
    }

    private func search(_ search: SearchSections, _ call: CallContext) async throws -> SearchSections.Result {
        guard (1...50).contains(search.limit) else { throw ServiceError.invalidArgument("limit has to be from 1 to 50.") }
        guard search.query.unicodeScalars.count <= 1000, search.query.contains(where: { !$0.isWhitespace }) else {
            throw ServiceError.invalidArgument("A query has 1 to 1000 characters.")
        }
        let query = SearchQuery(search.query)
        guard !query.terms.isEmpty else { return SearchSections.Result(hits: []) }
        let rows = try await database.rows(statement(query, book: search.book), deadline: call.deadline)
        let candidates = try rows.map { row throws(PostgresError) in try Candidate(row) }
        let (stems, corrections) = try rows.first.map(Self.meaning) ?? ([], [:])
        let hits = Ranking(query: query).order(candidates).prefix(search.limit).map { candidate in
            let excerpt = Excerpt(of: candidate.text, headings: candidate.headings, terms: query.terms, stems: stems)
            return SearchSections.Hit(
                id: candidate.id,
                book: candidate.book,
                headings: candidate.headings,
                file: candidate.file,
                anchor: candidate.anchor,
                excerpt: excerpt.text,
                words: excerpt.words,
                score: (candidate.score * 1000).rounded() / 1000,
                coverage: (min(1, candidate.coverage) * 1000).rounded() / 1000
            )
        }
        return SearchSections.Result(hits: Array(hits), corrections: corrections)
    }

    /// What the words were looked up as; the same in every row.
    private static func meaning(_ row: Row) throws(PostgresError) -> (stems: Set<String>, corrections: [String: String]) {
        let stems = try row["stems", as: [String].self]
        let given = try row["misspelt", as: [String].self]
        let meant = try row["meant", as: [String].self]
        return (Set(stems), Dictionary(zip(given, meant), uniquingKeysWith: { first, _ in first }))
    }

    /// One round trip: the words' stems, for unknown ones the most similar known, their postings, the sum over sections.
    ///
    /// A word's rarity is BM25's inverse document frequency over the sections searched. A section's coverage is the rarity
    /// of the words it holds over that of all words asked for, unknown ones included.
    private func statement(_ query: SearchQuery, book: Int?) -> Query {
        let words = query.terms.map(\.word)
        let factors = query.terms.map(\.factor)
        let misspelt = query.terms.map(\.mayBeMisspelt)
        return """
            with term as materialized (
                select given, octavo_stem(given) as word, factor, may_be_misspelt
                from unnest(\(words)::text[], \(factors)::float8[], \(misspelt)::boolean[])
                    as terms (given, factor, may_be_misspelt)
            ), meant as materialized (
                select term.given, alike.word, term.factor * alike.similarity as factor
                from term, lateral (
                    select distinct on (word) word, similarity(word, term.word) as similarity
                    from posting where word % term.word and left(word, 1) <> '='
                    order by word
                ) as alike
                where term.may_be_misspelt and not exists (select from posting where posting.word = term.word)
            ), best as materialized (
                select distinct on (given) given, word, factor from meant order by given, factor desc, word
            ), looked_up as materialized (
                select given, word, factor from term where given not in (select given from best)
                union all
                select given, word, factor from best
            ), corpus as materialized (
                select greatest(1, sum(section_count))::float8 as total
                from book where \(book)::bigint is null or id = \(book)
            ), known as materialized (
                select given, posting.word, factor, posting.sections, posting.weights,
                    sum(cardinality(posting.sections)) over (partition by given) as frequency
                from looked_up join posting using (word)
                where \(book)::bigint is null or posting.book_id = \(book)
            ), rated as materialized (
                select given, factor, sections, weights,
                    ln(1 + (corpus.total - frequency + 0.5) / (frequency + 0.5)) as rarity
                from known, corpus
            ), asked as materialized (
                select greatest(sum(factor * coalesce(
                    (select max(rarity) from rated where rated.given = term.given), ln(1 + corpus.total * 2))), 0.001) as mass
                from term, corpus
            ), scored as materialized (
                select posting.id, sum(factor * rarity * posting.weight) as score, sum(factor * rarity) as mass
                from rated, unnest(sections, weights) as posting (id, weight)
                group by posting.id
                order by score desc
                limit \(Ranking.candidates)
            )
            select section.id, section.book_id, book.title, section.headings, section.file, section.anchor, section.text,
                scored.score, scored.mass / asked.mass as coverage,
                array(select word from looked_up) as stems,
                array(select given from best order by given) as misspelt,
                array(select word from best order by given) as meant
            from scored join section using (id) join book on book.id = section.book_id, asked
            """
    }
}
