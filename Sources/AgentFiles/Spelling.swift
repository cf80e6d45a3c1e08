/// What somebody may have meant who wrote a name that there is not.
package enum Spelling {
    /// The name most like `word`; nil when none is like it.
    static func nearest(to word: String, among names: [String]) -> String? {
        let word = word.prefix(60).lowercased()
        let distances = names.map { (name: $0, distance: distance(word, $0)) }
        guard let nearest = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        // Of a short word little is left after two changes.
        return nearest.distance <= max(1, min(word.count, nearest.name.count) / 3) ? nearest.name : nil
    }

    /// There is no such name; with what may be meant, or else with what there is.
    static func unknown(_ word: String, _ what: String = "", among names: [String]) -> String {
        let missing = "there is no \(what)\"\(word.prefix(60))\""
        if let meant = nearest(to: word, among: names) { return "\(missing): did you mean \"\(meant)\"?" }
        return "\(missing); there are \(names.joined(separator: ", "))"
    }

    /// Letters to be added, taken away, changed, or swapped with their neighbour.
    package static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.unicodeScalars), Array(right.unicodeScalars))
        var before: [Int] = []
        var last = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var least = min(current[column] + 1, last[column + 1] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == right[column - 1], left[row - 1] == other {
                    least = min(least, before[column - 1] + 1)
                }
                current.append(least)
            }
            (before, last) = (last, current)
        }
        return last[right.count]
    }
}
