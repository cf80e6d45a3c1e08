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
        operations.allowWithin(GetSections.self)
        operations.allowWithin(SearchSections.self)
    }

    private func get(_ get: GetSections, _ call: CallContext) async throws -> JSON {
        guard get.sections.count <= 50 else {
            throw ServiceError.invalidArgument("At most 50 sections are given at once.")
        }
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
            isReadOnly: true,
            call
        )
        return found ?? .emptyObject
    }

    private func search(_ search: SearchSections, _ call: CallContext) async throws -> SearchSections.Result {
        guard (1...50).contains(search.limit) else {
            throw ServiceError.invalidArgument("limit has to be from 1 to 50.")
        }
        guard search.query.unicodeScalars.count <= 1000, search.query.contains(where: { !$0.isWhitespace }) else {
            throw ServiceError.invalidArgument("A query has 1 to 1000 characters.")
        }
        let query = SearchQuery(search.query)
        guard !query.terms.isEmpty else { return SearchSections.Result(hits: []) }
        let rows = try await database.rows(
            statement(query, book: search.book),
            isReadOnly: true,
            isShort: false,
            call
        )
        let candidates = try rows.map { row throws(PostgresError) in try Candidate(row) }
        let meaning = try rows.first.map { row throws(PostgresError) in try Meaning(row, of: query) } ?? Meaning()
        let hits = Ranking(query, meaning).order(candidates).prefix(search.limit).map { candidate in
            let excerpt = Excerpt(of: candidate.text, headings: candidate.headings, meaning: meaning)
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
        return SearchSections.Result(hits: Array(hits), corrections: meaning.corrections)
    }

    /// One round trip: the words' stems, what unknown ones may mean, their postings, and the sum over each section.
    ///
    /// A word's rarity is BM25's inverse document frequency over the sections searched. A section earns for each term the
    /// best of the words that may stand for it. Its coverage is the rarity of the terms it holds, in whatever form, over
    /// that of all asked for, unknown ones included.
    private func statement(_ query: SearchQuery, book: Int?) -> Query {
        let words = query.terms.map(\.word)
        let factors = query.terms.map(\.factor)
        let misspelt = query.terms.map(\.mayBeMisspelt)
        let extra = query.terms.map(\.isExtra)
        let places = query.alternatives.map(\.term)
        let others = query.alternatives.map(\.word)
        let confidences = query.alternatives.map(\.confidence)
        return """
            with corpus as materialized (
                select greatest(1, sum(section_count))::float8 as total
                from book where \(book)::bigint is null or id = \(book)
            ), term as materialized (
                select given.place::int - 1 as place, given.word, given.stem, factor, may_be_misspelt, is_extra, sections
                from (
                    select *, octavo_stem(word) as stem
                    from unnest(\(words)::text[], \(factors)::float8[], \(misspelt)::boolean[], \(extra)::boolean[])
                        with ordinality as terms (word, factor, may_be_misspelt, is_extra, place)
                ) as given, lateral (
                    select coalesce(sum(cardinality(posting.sections)), 0) as sections
                    from posting where posting.word = given.stem and (\(book)::bigint is null or posting.book_id = \(book))
                ) as found
            ), meant as materialized (
                -- A word of letters in one or two sections may be a misspelling itself, if a frequent one is a slip away.
                select term.place, term.word as given, meant.word, meant.stem, term.sections = 0 as is_unknown,
                    case when term.sections = 0 then meant.confidence else 0.5 end as confidence
                from term, lateral octavo_meant(term.word, \(book)) as meant
                where may_be_misspelt and (term.sections = 0 or (term.sections <= 2 and term.word !~ '[^[:alpha:]]'))
                    and meant.stem <> term.stem and (term.sections = 0
                    or (meant.slips = 1 and left(meant.word, 1) = left(term.word, 1) and meant.sections > 20 * term.sections))
            ), looked_up as materialized (
                select place, stem, max(confidence) as confidence
                from (
                    select place, stem, 1 from term
                    union all select place, stem, confidence from meant
                    union all select place, octavo_stem(word), confidence
                        from unnest(\(places)::int[], \(others)::text[], \(confidences)::float8[])
                            as alternative (place, word, confidence)
                ) as ways (place, stem, confidence)
                group by place, stem
            ), known as materialized (
                select place, looked_up.stem, confidence, posting.sections, posting.weights,
                    sum(cardinality(posting.sections)) over (partition by place, looked_up.stem) as frequency
                from looked_up, lateral (
                    select * from posting
                    where posting.word = looked_up.stem and (\(book)::bigint is null or posting.book_id = \(book))
                    -- Keeps the planner, which knows not how few the words are, from reading the whole index.
                    offset 0
                ) as posting
            ), rated as materialized (
                select place, stem, confidence, sections, weights,
                    ln(1 + (total - frequency + 0.5) / (frequency + 0.5)) as rarity
                from known, corpus
            ), asked as materialized (
                select place, factor, factor * coalesce(
                    (select max(rarity) from rated where rated.place = term.place and rated.stem = term.stem),
                    (select max(rarity) from rated where rated.place = term.place),
                    case when is_extra then 0 else ln(1 + total * 2) end) as mass
                from term, corpus
            ), total as materialized (
                select greatest(sum(mass), 0.001) as mass from asked
            ), held as materialized (
                -- The arrays are short and the sections many: all that is joined is joined before they are unfolded.
                select place, posting.id, max(value * posting.weight) as value, min(mass) as mass
                from (
                    select place, factor * confidence * rarity as value, asked.mass / total.mass as mass, sections, weights
                    from rated join asked using (place), total
                ) as worth, unnest(sections, weights) as posting (id, weight)
                group by place, posting.id
            ), scored as materialized (
                select id, sum(value) as score, sum(mass) as coverage
                from held
                group by id
                order by sum(value) * (1 - \(Ranking.coverageShare) + \(Ranking.coverageShare) * sum(mass)) desc
                limit \(Ranking.candidates)
            )
            select section.id, section.book_id, book.title, section.headings, section.file, section.anchor, section.text,
                scored.score, scored.coverage,
                array(select stem from looked_up order by place, stem) as stems,
                array(select place from looked_up order by place, stem) as places,
                array(select confidence from looked_up order by place, stem) as confidences,
                array(select given from meant where is_unknown order by place, confidence desc) as misspelt,
                array(select word from meant where is_unknown order by place, confidence desc) as meant
            from scored join section using (id) join book on book.id = section.book_id
            """
    }
}
