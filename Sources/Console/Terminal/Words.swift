import ArgumentParser

/// A word of a question or a search, as it was typed: it may look like an option.
struct Word: ExpressibleByArgument {
    /// Stands before a word that the argument parser must not take for an option. No argument of a process holds a NUL,
    /// so it cannot have been typed.
    fileprivate static let mark = "\0"

    let text: String

    init(argument: String) {
        text = argument.hasPrefix(Self.mark) ? String(argument.dropFirst()) : argument
    }
}

/// Lets operators (`->>`, `-|-`, `--`) and switches (`-x`) be asked and searched for like any other word.
///
/// What looks like one of our own options, two hyphens and a letter, stays one, so that a misspelt option is refused and
/// not searched for. The argument parser by itself takes everything with a hyphen for an option.
enum Words {
    /// The commands that take words.
    private static let commands = [["ask"], ["agents", "run"], ["books", "search"]]
    /// Their options without a value; after any other the next argument is its value, whatever it looks like.
    private static let flags: Set = ["--json", "--help", "-h", "--version"]

    static func marked(_ arguments: [String]) -> [String] {
        guard let command = command(of: arguments) else { return arguments }
        var result = command
        var rest = arguments.dropFirst(command.count)
        while let word = rest.popFirst() {
            if word == "--", !rest.isEmpty { return result + [word] + rest }
            guard isOption(word) else {
                result.append(word.hasPrefix("-") ? Word.mark + word : word)
                continue
            }
            result.append(word)
            if !flags.contains(word), !word.contains("="), let value = rest.popFirst() { result.append(value) }
        }
        return result
    }

    /// What to do about an option that there is not: it may have been meant as a word.
    static func advice(_ arguments: [String]) -> String? {
        command(of: arguments).map { command in
            "If it is what you look for, put -- before it: octavo \(command.joined(separator: " ")) -- …"
        }
    }

    private static func command(of arguments: [String]) -> [String]? {
        commands.first { arguments.starts(with: $0) }
    }

    private static func isOption(_ word: String) -> Bool {
        word == "-h" || word.hasPrefix("--") && word.dropFirst(2).first?.isLetter == true
    }
}
