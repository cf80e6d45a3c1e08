import Contract

@testable import AgentRunner

/// Sections for tests: a small manual.
enum Sections {
    static func section(_ id: Int, _ heading: String, _ text: String, above: [String] = ["Manual"]) -> Section {
        Section(
            id: id,
            book: Section.BookName(id: 1, title: "Handbook"),
            headings: above + [heading],
            file: "manual.html",
            anchor: "s\(id)",
            text: text
        )
    }

    static let vacuum = section(
        12,
        "VACUUM",
        """
        VACUUM reclaims storage occupied by dead tuples. In normal operation, tuples that are deleted are not physically \
        removed from their table. They remain present until a VACUUM is done.

        The “custom” format isn't readable — use pg_restore, with an array such as a[1] or '[[1, 2], [3]]'.
        """
    )
    static let limits = section(
        14,
        "Limits",
        """
        Table K.1 describes various hard limits.

        Item | Upper Limit | Comment
        columns per table | 1,600 | further limited by tuple size
        identifier length | 63 bytes | can be increased
        """
    )
    static let columns = section(
        15,
        "Adding a Column",
        """
        To add a column, use a command like:

        ALTER TABLE products ADD COLUMN description text;

        The new column is initially filled with whatever default value is given. However, this is slow on large tables.
        """
    )

    static func passages(_ sections: Section...) -> Passages {
        var passages = Passages()
        for (rank, section) in sections.enumerated() { passages.add(section, score: Double(20 - rank)) }
        return passages
    }
}
