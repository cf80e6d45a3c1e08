/// The reads of a batch as they are sent: those that differ in nothing but their key are one statement, since one for
/// twenty keys is far less work to Postgres than twenty.
struct KeyedReads {
    /// What is sent.
    private(set) var queries: [Query] = []
    /// For each read, which of the queries it became.
    private var places: [Int] = []
    private var keys: [Int?] = []
    /// Reads of one statement that agree in all but the key.
    private struct Family {
        let first: Query
        let place: Int
        var keys: Set<Int>

        func accepts(_ read: Query, _ key: Query.Key) -> Bool {
            (keys.count < KeyedReads.mostKeys || keys.contains(key.value))
                && first.parameters.equal(read.parameters, besides: key.parameter)
        }
    }

    /// Their answers come when all are read: this bounds how long one waits for the others.
    static let mostKeys = 32

    init(_ reads: [Query]) {
        var families: [Family] = []
        // By statement, the family that takes in more; one that is full, or has other parameters, makes room for the next.
        var open: [String: Int] = [:]
        for read in reads {
            keys.append(read.key?.value)
            if let key = read.key, let family = open[read.sql], families[family].accepts(read, key) {
                families[family].keys.insert(key.value)
                places.append(families[family].place)
                continue
            }
            if let key = read.key {
                open[read.sql] = families.count
                families.append(Family(first: read, place: queries.count, keys: [key.value]))
            }
            places.append(queries.count)
            queries.append(read)
        }
        for family in families where family.keys.count > 1 {
            queries[family.place] = family.first.reading(family.keys.sorted())
        }
    }

    /// What became of each read. What failed for several is to be tried by each alone, so that an error reaches no neighbour.
    func outcomes(of outcomes: [PostgresConnection.ReadOutcome]) -> [PostgresConnection.ReadOutcome] {
        let rows = outcomes.enumerated().map { place, outcome in
            if case .rows(let rows) = outcome, queries[place].readsSeveral {
                Self.places(in: rows)
            } else {
                nil as [Int: [Int]]?
            }
        }
        return zip(places, keys).map { place, key in
            switch outcomes[place] {
            case .rows(let all):
                guard queries[place].readsSeveral, let key else { return .rows(all) }
                guard let places = rows[place] else { return .again }
                return .rows(Rows(result: all.result, places: places[key] ?? []))
            case .failed(let error) where !queries[place].readsSeveral || error.sqlState == .queryCanceled:
                return .failed(error)
            case .failed, .again:
                return .again
            }
        }
    }

    /// The rows of each key. Nil when the first column is none.
    private static func places(in rows: Rows) -> [Int: [Int]]? {
        var places: [Int: [Int]] = [:]
        for (place, row) in rows.enumerated() {
            guard let key = try? row[0, as: Int.self] else { return nil }
            places[key, default: []].append(place)
        }
        return places
    }
}
