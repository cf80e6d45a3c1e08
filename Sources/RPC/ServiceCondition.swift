/// How a service is, as it sees itself: what `health` tells beside what the server knows.
public struct ServiceCondition: Sendable {
    /// Why it cannot do its work now, in sentences for people. It is ready without any.
    public var reasons: [String]
    /// What is amiss and keeps it from none of its work.
    public var warnings: [String]
    /// Numbers of its own.
    public var gauges: [String: Int]

    /// From its parts.
    public init(reasons: [String] = [], warnings: [String] = [], gauges: [String: Int] = [:]) {
        self.reasons = reasons
        self.warnings = warnings
        self.gauges = gauges
    }
}
