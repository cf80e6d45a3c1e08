/// English words too frequent to find anything by: those of the Snowball project's list, as Postgres' `english`
/// configuration has them. They are indexed in headings only, where `WHERE` or `IN` may be what a section is about.
enum StopWords {
    static func contains(_ word: String) -> Bool { list.contains(word) }

    private static let list: Set<String> = Set(
        """
        i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it \
        its itself they them their theirs themselves what which who whom this that these those am is are was were be been \
        being have has had having do does did doing a an the and but if or because as until while of at by for with about \
        against between into through during before after above below to from up down in out on off over under again further \
        then once here there when where why how all any both each few more most other some such no nor not only own same \
        so than too very s t can will just don should now
        """.split(separator: " ").map(String.init)
    )

    /// Whether people phrase a question with the word more often than they ask about it. Such a word is looked up, since it
    /// may be meant, but says less than its rarity in a manual would have it.
    static func isFiller(_ word: String) -> Bool { fillers.contains(word) }

    private static let fillers: Set<String> = Set(
        """
        another several together whenever pick get gets getting got give gives given giving take takes taking need needs \
        needed want wants wanted find finds finding way ways thing things best better good make makes making work works \
        working long many much please help possible possibly use used uses using without within via tell know mean means \
        meaning happen happens let lets see look like one two also every ever still already whole certain something \
        anything nothing somebody anybody nobody everything going go come goes keep keeps put able must may might could \
        would shall really actually properly correctly right wrong new old different
        """.split(separator: " ").map(String.init)
    )
}
