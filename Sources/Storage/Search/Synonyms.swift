/// What documentation may call the thing somebody asks for, for verbs and properties of everyday English. Directed, from
/// what people type to what manuals write: who asks for `views` does not mean `show`.
enum Synonyms {
    static func of(_ word: String) -> [String] { list[word] ?? [] }

    private static let list: [String: [String]] = {
        var result: [String: [String]] = [:]
        for line in lines.split(separator: "\n") {
            let sides = line.split(separator: ":").map { $0.split(separator: " ").map(String.init) }
            guard let asked = sides.first, let written = sides.last else { continue }
            for word in asked { result[word] = written.filter { $0 != word } }
        }
        return result
    }()

    /// The words before the colon are looked up as those after it too.
    private static let lines = """
        delete erase remove drop: delete remove drop
        speed fast faster slow slower slowly quick: performance
        show see list display find: show list display view
        kill terminate abort stop cancel: terminate cancel stop shutdown
        maximum max limit: maximum limit
        minimum min: minimum
        big bigger large: size large
        change modify edit alter: alter change modify
        make add new create: create add
        running: active current
        current: active
        upgrade migrate: upgrade migrate
        allow permit let: allow grant permit
        forbid deny prevent: deny prevent restrict
        hide: restrict security
        restore recover: restore recovery
        fail fails failed broken problem: failure error
        combine: join concatenate merge
        difference differ versus vs: difference compare
        folder directory: directory
        automatic automatically auto: automatic auto
        begin launch start: start begin
        setting settings: setting parameter option configuration
        configure: configuration setting
        execute run: run execute
        duplicate duplicates: duplicate distinct unique
        ignore: ignore skip
        copy: copy duplicate
        save: store save
        """
}
