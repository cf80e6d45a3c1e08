/// How long a message waits after an attempt that came to nothing: a day in all, so that a receiver that is mended in the
/// morning misses nothing of the night.
enum OutboxPause {
    private static let seconds = [2.0, 10, 60, 300, 900, 3_600, 7_200, 14_400]

    /// After so many attempts; the last tenth is random, so that many messages do not come back at once.
    static func after(_ attempt: Int) -> Double {
        seconds[min(max(attempt, 1), seconds.count) - 1] * .random(in: 0.9...1)
    }
}
