import Contract
import NIOCore
import RPC
import Wire

/// The body of `POST /v1/reading-list`: what is to be kept, and what is to be changed together with it.
struct ReadingListBody {
    private static let example = #"{"reader": 1, "book": 2}"#

    let reader: Int
    let book: Int
    private(set) var section: Int?
    /// The title the book is to have.
    private(set) var title: String?
    /// The name the reader is to have.
    private(set) var name: String?
    private(set) var summary: String?

    init(_ bytes: ByteBuffer) throws(ServiceError) {
        var (reader, book): (Int?, Int?)
        for (field, value) in try JSONBody(bytes, example: Self.example).members {
            switch field {
            case "reader": reader = try JSONBody.id(field, value)
            case "book": book = try JSONBody.id(field, value)
            case "section": section = try JSONBody.id(field, value)
            case "title": title = try JSONBody.text(field, value, characters: 1...300)
            case "name": name = try JSONBody.text(field, value, characters: Reader.nameLength)
            case "summary": summary = try JSONBody.text(field, value, characters: 1...2000)
            default:
                throw JSONBody.unknown(
                    field,
                    of: "an entry",
                    known: ["reader", "book", "section", "title", "name", "summary"]
                )
            }
        }
        guard let reader else { throw JSONBody.missing("reader", example: Self.example) }
        guard let book else { throw JSONBody.missing("book", example: Self.example) }
        (self.reader, self.book) = (reader, book)
    }

    /// Everything it asks for, as one transaction. A reader who does not exist is refused by the second operation, which
    /// reads the profile, or changes the name in it; the entry comes last, so that it has the book's new title.
    func operations(summary: String?) -> [BatchedOperation] {
        var operations: [BatchedOperation] = []
        if let title { operations.append(BatchedOperation(SetBookTitle(book, to: title))) }
        operations.append(
            name.map { BatchedOperation(SetReaderName(reader, to: $0)) } ?? BatchedOperation(GetReader(reader))
        )
        let add = AddToReadingList(reader: reader, book: book, section: section, summary: summary)
        operations.append(BatchedOperation(add))
        return operations
    }
}
