import Contract
import Postgres

/// A section the index brought, with what is needed to rank it and to show it.
struct Candidate {
    var id: Int
    var book: Section.BookName
    var headings: [String]
    var file: String
    var anchor: String
    var text: String
    /// The sum over its words of rarity times weight.
    var score: Double
    /// The part of the query it holds, weighed by rarity, 0 to 1.
    var coverage: Double
}

extension Candidate {
    init(_ row: Row) throws(PostgresError) {
        id = Int(try row["id", as: Int64.self])
        book = Section.BookName(id: Int(try row["book_id", as: Int64.self]), title: try row["title", as: String.self])
        headings = try row["headings", as: [String].self]
        file = try row["file", as: String.self]
        anchor = try row["anchor", as: String.self]
        text = try row["text", as: String.self]
        score = try row["score", as: Double.self]
        coverage = try row["coverage", as: Double.self]
    }
}
