extension [UInt8] {
    /// Splits readable UTF-8 into parts of at most 4,000 characters (Unicode scalars), so that a search finds the part
    /// that matters and a frame stays small: at paragraphs, else lines, else words. Never empty; an empty text is one
    /// empty part.
    func parts() -> [String] {
        var parts: [String] = []
        var rest = self[...]
        repeat {
            let end = rest.partEnd(limit: 4000)
            let part = rest[..<end].trimmedAtEnd()
            if !part.isEmpty || parts.isEmpty { parts.append(String(decoding: part, as: UTF8.self)) }
            // Between words the spaces go; after a line's end they are the next line's indentation.
            let boundary: UInt8 = end < rest.endIndex && rest[end] == 0x20 ? 0x20 : 0x0A
            rest = rest[end...].drop { $0 == boundary }
        } while !rest.isEmpty
        return parts
    }
}

extension ArraySlice<UInt8> {
    /// Where the next part ends. A boundary counts only past a quarter of the part, lest a short paragraph before a
    /// long one stand alone.
    fileprivate func partEnd(limit: Int) -> Int {
        guard let full = index(afterScalars: limit) else { return endIndex }
        let least = startIndex + (full - startIndex) / 4
        var (paragraph, line, word): (Int?, Int?, Int?) = (nil, nil, nil)
        var index = full - 1
        while index > least, paragraph == nil {
            if self[index] == 0x0A {
                if self[index - 1] == 0x0A { paragraph = index - 1 }
                line = line ?? index
            } else if self[index] == 0x20 {
                word = word ?? index
            }
            index -= 1
        }
        return paragraph ?? line ?? word ?? full
    }

    /// The index after that many scalars, if there are more.
    private func index(afterScalars limit: Int) -> Int? {
        guard count > limit else { return nil }
        var scalars = 0
        for index in indices where self[index] & 0xC0 != 0x80 {
            if scalars == limit { return index }
            scalars += 1
        }
        return nil
    }
}
