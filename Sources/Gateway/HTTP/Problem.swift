import Contract
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Wire

/// The one shape of errors over HTTP: problem details, RFC 9457.
struct Problem: Encodable {
    /// `urn:octavo:error:` and the code.
    var type: String
    /// The status in words.
    var title: String
    var status: Int
    /// A sentence that says what to do.
    var detail: String
    /// The protocol's code.
    var code: String
    /// What the caller may do: `no`, `safe` or `same_key`.
    var retry: String
    /// The run it is about.
    var run: RunID?

    init(_ error: ServiceError, run: RunID? = nil) {
        let status = HTTPResponse.Status(integerLiteral: error.code.httpStatus)
        type = "urn:octavo:error:\(error.code.rawValue)"
        title = status.code == 499 ? "Client Closed Request" : Self.words(of: status.code)
        self.status = status.code
        detail = error.message
        code = error.code.rawValue
        retry = error.retry.rawValue
        self.run = run
    }

    private static func words(of status: Int) -> String {
        HTTPResponseStatus(statusCode: status).reasonPhrase
    }

    /// The response with the problem as its body.
    func response(retryAfterMilliseconds: Int? = nil, status given: HTTPResponse.Status? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if (status == 503 || status == 429) && retry != Retry.no.rawValue {
            // Whole seconds, at least one (RFC 9110, 10.2.3).
            headers[.retryAfter] = String(max(1, ((retryAfterMilliseconds ?? 1_000) + 999) / 1_000))
        }
        let body = (try? JSON(encoding: self).bytes) ?? ByteBuffer()
        return Response(
            status: given ?? HTTPResponse.Status(code: status, reasonPhrase: title),
            headers: headers,
            body: ResponseBody(byteBuffer: body)
        )
    }
}

/// Turns every error of a route into a problem.
struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as ServiceError {
            if error.code == .internal {
                context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            }
            return Problem(error).response(retryAfterMilliseconds: error.afterMilliseconds)
        } catch let error as any HTTPResponseError {
            return Self.problem(for: error, request).response(status: error.status)
        } catch is CancellationError {
            return Problem(.unavailable("The gateway is stopping.")).response()
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return Problem(ServiceError(.internal, "Something went wrong inside the gateway; its log says more."))
                .response()
        }
    }

    /// What the router itself refuses: an unknown path, a body over the limit.
    private static func problem(for error: any HTTPResponseError, _ request: Request) -> Problem {
        var problem =
            switch error.status {
            case .notFound:
                Problem(.notFound("There is no \(request.method) \(request.uri.path) here."))
            case .contentTooLarge:
                Problem(.invalidArgument("The body is larger than \(HTTPLimits().bodyBytes) bytes."))
            default:
                Problem(.invalidArgument((error as? HTTPError)?.body ?? "\(error.status.reasonPhrase)."))
            }
        problem.status = error.status.code
        problem.title = error.status.reasonPhrase
        return problem
    }
}
