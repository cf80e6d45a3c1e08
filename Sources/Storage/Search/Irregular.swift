/// Forms of English words that cutting endings does not bring together, and the spellings of British English that name
/// the same thing. Only what manuals write; everything else is left to the stemmer and to spelling correction.
enum Irregular {
    /// The form the word is indexed and looked up by.
    static func regular(_ word: String) -> String { forms[word] ?? word }

    private static let forms: [String: String] = [
        "indices": "indexes", "matrices": "matrixes", "vertices": "vertexes", "appendices": "appendixes",
        "schemata": "schemas", "criteria": "criterion", "analyses": "analysis", "children": "child",
        "analyse": "analyze", "analysed": "analyzed", "analysing": "analyzing", "analyser": "analyzer",
        "behaviour": "behavior", "colour": "color", "licence": "license", "catalogue": "catalog",
    ]
}
