/// What documentation may call the thing somebody asks for, for verbs and properties of everyday English. Directed, from
/// what people type to what manuals write: who asks for `views` does not mean `show`.
enum Synonyms {
    static func of(_ word: String) -> [String] { list[word] ?? [] }

    private static let list: [String: [String]] = {
        var result: [String: [String]] = [:]
        for line in lines.split(separator: "\n") {
            let sides = line.split(separator: ":").map { $0.split(separator: " ").map(String.init) }
            guard let asked = sides.first, let written = sides.last else { continue }
            for word in asked { result[word, default: []] += written.filter { $0 != word } }
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
        big bigger large huge: size large
        larger largest biggest highest: greatest maximum
        smaller smallest lowest: least minimum
        latest newest: last
        several: multiple
        many: multiple number maximum limit
        long: length
        change modify edit alter: alter change modify
        make add new create: create add
        undo revert: rollback undo
        permission permissions right rights: privilege permission access
        user users: role account user
        login: login authentication connect
        password passwords: password authentication
        running: active current
        current: active
        upgrade migrate: upgrade migrate
        allow permit let: allow grant permit
        forbid deny prevent: deny prevent restrict
        hide: restrict security
        restore recover: restore recovery
        fail fails failed broken problem: failure error
        wrong: error
        exception exceptions: exception error
        throw raise: raise error exception
        catch handle: handle trap exception
        crash crashes crashed: crash failure recovery
        broken corrupt corrupted damaged: corruption corrupted
        repair fix: repair recover rebuild
        verify check: check verify
        combine: join concatenate merge
        split divide: split divide partition
        piece pieces chunk chunks: part partition
        turn convert: convert conversion
        iterate loop: loop iterate
        parallel simultaneously: parallel concurrent
        sleep pause wait: delay sleep wait
        lag: lag delay
        print: output display print
        machine computer: server host
        monitor watch: monitor statistics
        encrypt: encrypt encryption
        safely secure: security
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
        load import: load import copy
        export: export copy dump
        backup backups: backup dump
        enlarge grow shrink: resize size
        """
}
