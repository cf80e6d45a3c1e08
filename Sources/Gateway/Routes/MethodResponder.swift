import HTTPTypes
import Hummingbird

/// Tells a wrong method from a wrong path, which the router does not: 405 with what the path takes.
struct MethodResponder: HTTPResponder {
    private let router: RouterResponder<BasicRequestContext>
    private let methods: [(path: RouterPath, method: HTTPRequest.Method)]

    init(_ router: Router<BasicRequestContext>) {
        self.router = router.buildResponder()
        // The responder's routes, with the `HEAD`s that building it has added.
        methods = router.routes.map { ($0.path, $0.method) }
    }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let response = try await router.respond(to: request, context: context)
        // What a route itself did not find was asked for with the right method.
        guard response.status == .notFound else { return response }
        let allowed = methods.filter { Self.matches($0.path, request.uri.path) }.map(\.method)
        guard !allowed.isEmpty, !allowed.contains(request.method) else { return response }
        let allow = Set(allowed.map(\.rawValue)).sorted().joined(separator: ", ")
        return HTTPRefusal.method(request.method, path: request.uri.path, allow: allow).response
    }

    private static func matches(_ pattern: RouterPath, _ path: String) -> Bool {
        let parts = path.split(separator: "/")
        return parts.count == pattern.count && zip(pattern, parts).allSatisfy { $0 ~= $1 }
    }
}
