import Testing

@testable import Console

/// Lines of ours in a file of somebody else's.
@Suite struct MarkedBlockTests {
    private static let rules = """
        # TYPE  DATABASE  USER  METHOD
        local   all       all   peer

        """

    private let block = MarkedBlock(lines: ["local octavo octavo-storage peer"], place: .top)

    @Test(arguments: ["", "local all all peer", rules, "\r\n\r\n", "# <<< octavo\n"])
    func whatWasAddedIsRemovedToTheByte(text: String) {
        let added = block.added(to: text)
        #expect(added.contains("local octavo octavo-storage peer\n"))
        #expect(MarkedBlock.removed(from: added) == text)
        let bottom = MarkedBlock(lines: ["octavo root octavo"], place: .bottom).added(to: text)
        let whole = text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
        #expect(MarkedBlock.removed(from: bottom) == whole)
    }

    @Test func addingItAgainChangesNothing() {
        let added = block.added(to: Self.rules)
        #expect(block.added(to: added) == added)
    }

    @Test func itIsBroughtUpToDateWhereTheAdminHasMovedIt() {
        let moved = Self.rules + block.added(to: "")
        let newer = MarkedBlock(lines: ["local octavo octavo-storage reject"], place: .top)
        #expect(newer.added(to: moved) == Self.rules + newer.added(to: ""))
    }

    @Test func aBlockThatHasLostItsEndIsNotGuessedAt() {
        let torn = block.added(to: Self.rules).split(separator: "\n").filter { !$0.hasPrefix("# <<<") }.map {
            $0 + "\n"
        }.joined()
        #expect(MarkedBlock.removed(from: torn) == torn)
    }

    @Test func rulesNameTheTwoRolesAlone() {
        for line in DatabaseAccess.rules.lines {
            let fields = line.split(separator: " ")
            #expect(fields[2] == "octavo-storage,octavo-owner", "\(line)")
        }
    }
}
