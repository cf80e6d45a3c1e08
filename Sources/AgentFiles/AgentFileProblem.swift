/// What is wrong with an agent file, and where.
public struct AgentFileProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, as it was named.
    public var file: String
    /// The place in it, both from 1; `nil` when it is about the whole file.
    public var place: Place?
    /// A sentence without its point.
    public var message: String

    /// A problem of a file.
    public init(file: String, place: Place? = nil, message: String) {
        self.file = file
        self.place = place
        self.message = message
    }

    /// A line and a column, from 1.
    public struct Place: Sendable, Hashable, Comparable {
        /// The line.
        public var line: Int
        /// The column, in characters.
        public var column: Int

        /// In the order of the text.
        public static func < (left: Place, right: Place) -> Bool {
            (left.line, left.column) < (right.line, right.column)
        }
    }

    /// As compilers write it, so that editors find the place: `triage.yaml:3:8: …`.
    public var description: String {
        let place = place.map { ":\($0.line):\($0.column)" } ?? ""
        return "\(file)\(place): \(message)"
    }
}
