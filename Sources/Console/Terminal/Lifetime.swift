import ArgumentParser

/// A length of time as people write it: `30s`, `10m`, `12h`, `90d`.
struct Lifetime: ExpressibleByArgument, Equatable, CustomStringConvertible {
    private static let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]

    let seconds: Int

    init(minutes: Int) {
        self.init(seconds: minutes * 60)
    }

    init(seconds: Int) {
        self.seconds = seconds
    }

    init?(argument: String) {
        guard let unit = argument.last.flatMap({ Self.units[$0] }), let count = Int(argument.dropLast()), count > 0,
            case let (seconds, isTooLong) = count.multipliedReportingOverflow(by: unit), !isTooLong
        else { return nil }
        self.seconds = seconds
    }

    /// As it is written, also by `--help`: in the largest unit that it is a whole number of.
    var description: String {
        let unit = Self.units.filter { seconds % $0.value == 0 }.max { $0.value < $1.value }
        return unit.map { "\(seconds / $0.value)\($0.key)" } ?? "\(seconds)s"
    }
}
