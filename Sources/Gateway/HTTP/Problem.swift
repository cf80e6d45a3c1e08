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

    /// A problem with the code's own status unless another is given.
    init(_ error: ServiceError, status: Int? = nil, run: RunID? = nil) {
        let status = status ?? error.code.httpStatus
        type = "urn:octavo:error:\(error.code.rawValue)"
        title = Self.words(of: status)
        self.status = status
        detail = error.message
        code = error.code.rawValue
        retry = error.retry.rawValue
        self.run = run
    }

    /// A defect of the gateway, of which only the log says more.
    static let defect = Problem(.internal("Something went wrong inside the gateway; its log says more."))

    private static func words(of status: Int) -> String {
        status == 499 ? "Client Closed Request" : HTTPResponseStatus(statusCode: status).reasonPhrase
    }

    var body: ByteBuffer { (try? JSON(encoding: self).bytes) ?? ByteBuffer() }

    /// The response with the problem as its body.
    func response(retryAfterMilliseconds: Int? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "application/problem+json", .cacheControl: "no-store"]
        if (status == 503 || status == 429) && retry != Retry.no.rawValue {
            // Whole seconds, at least one (RFC 9110, 10.2.3).
            headers[.retryAfter] = String(max(1, ((retryAfterMilliseconds ?? 1_000) + 999) / 1_000))
        }
        return Response(
            status: HTTPResponse.Status(code: status, reasonPhrase: title),
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
            // Nobody has cancelled it but this process, which has no more time.
            if error.code == .cancelled, Task.isCancelled { return Self.stopping }
            if error.code == .internal {
                context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            }
            return Problem(error).response(retryAfterMilliseconds: error.afterMilliseconds)
        } catch let refusal as HTTPRefusal {
            return refusal.response
        } catch let error as any HTTPResponseError where error.status == .notFound {
            return Problem(.notFound("There is no \(request.uri.path) here.")).response()
        } catch let error as any HTTPResponseError {
            let words = (error as? HTTPError)?.body ?? "\(error.status.reasonPhrase)."
            return Problem(.invalidArgument(words), status: error.status.code).response()
        } catch is CancellationError {
            return Self.stopping
        } catch {
            context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return Problem.defect.response()
        }
    }

    private static var stopping: Response {
        // What it was about may be done by now.
        Problem(.unavailable("The gateway is stopping.", retry: .sameKey)).response()
    }
}
