extension Duration {
    /// As people say it: `20 seconds`, `0.5 seconds`.
    var inWords: String {
        let seconds = self / .seconds(1)
        guard let whole = Int(exactly: seconds) else { return "\(seconds) seconds" }
        return whole == 1 ? "1 second" : "\(whole) seconds"
    }
}
