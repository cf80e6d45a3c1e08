import Contract
import Hummingbird
import HummingbirdCore
import RPC
import Wire

/// `GET /v1/books`, `/v1/books/{id}`, `/v1/sections/{id}` and `/v1/search`: the documentation itself. Storage's JSON is
/// passed on as it is.
struct BookRoutes: Sendable {
    let storage: RPCClient

    func add(to router: RouterGroup<BasicRequestContext>) {
        router.get("books") { request, _ in
            try Query.takes("after", "limit", in: request)
            let after = try Query.integer("after", in: request, default: 0, range: 0...Int.max)
            let limit = try Query.integer("limit", in: request, default: 100, range: 1...500)
            return JSONResponse.response(try await storage.json(ListBooks(after: after, limit: limit)))
        }
        router.get("books/:book") { request, context in
            try Query.takes("after", "limit", in: request)
            let book = try Query.id(context.parameters.require("book"), of: "book")
            let after = try Query.integer("after", in: request, default: 0, range: 0...Int.max)
            let limit = try Query.integer("limit", in: request, default: 500, range: 1...1000)
            return JSONResponse.response(try await storage.json(GetBook(book: book, after: after, limit: limit)))
        }
        router.get("sections/:section") { request, context in
            try Query.takes(in: request)
            let id = try Query.id(context.parameters.require("section"), of: "section")
            let found = try await storage.perform(GetSections(sections: [id]))
            guard let section = found.sections.first else { throw ServiceError.notFound("There is no section \(id).") }
            return try JSONResponse.response(section)
        }
        router.get("search") { request, _ in
            try Query.takes("q", "limit", "book", in: request)
            // Forms write a space as "+", and a plus as "%2B" (WHATWG URL, application/x-www-form-urlencoded).
            let form = request.uri.query?.replacing("+", with: "%20") ?? ""
            guard let query = URI("/?\(form)").queryParameters.get("q"), !query.trimmed.isEmpty else {
                throw ServiceError.invalidArgument("Say what to search for, as in /v1/search?q=max_connections.")
            }
            let limit = try Query.integer("limit", in: request, default: 10, range: 1...50)
            let book = try request.uri.queryParameters.get("book").map { try Query.id(String($0), of: "book") }
            return JSONResponse.response(
                try await storage.json(SearchSections(query: String(query), limit: limit, book: book))
            )
        }
    }
}
