import ArgumentParser

/// A length of time as people write it: `30s`, `10m`, `12h`, `90d`.
struct Lifetime: ExpressibleByArgument, Equatable {
    private static let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    let seconds: Int

    init(minutes: Int) {
        seconds = minutes * 60
    }

    init?(argument: String) {
        guard let unit = argument.last.flatMap({ Self.units[$0] }), let count = Int(argument.dropLast()), count > 0,
            case let (seconds, isTooLong) = count.multipliedReportingOverflow(by: unit), !isTooLong
        else { return nil }
        self.seconds = seconds
    }
}
