/// Something of an installation that was looked at.
struct Finding: Encodable, Sendable {
    /// What was looked at, as a sentence where nothing is wrong with it.
    var subject: String
    /// What is wrong with it; nil when nothing is.
    var problem: String?
    /// What to do about it.
    var mend: String?
    /// What may be wrong with it: that is for a person to tell.
    var remark: String?
    /// Why it could not be looked at.
    var unknown: String?

    func show() {
        let out = Terminal.output
        if let problem {
            out.line("\(out.styled("wrong", .red))    \(subject): \(problem)")
            if let mend { out.line("         \(mend)") }
        } else if let remark {
            out.line("\(out.styled("note", .cyan))     \(subject): \(remark)")
            if let mend { out.line("         \(mend)") }
        } else if let unknown {
            out.line("\(out.styled("unknown", .dim))  \(subject): \(unknown)")
        } else {
            out.line("\(out.styled("good", .green))     \(subject)")
        }
    }
}
