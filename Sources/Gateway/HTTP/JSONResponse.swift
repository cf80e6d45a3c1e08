import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// Documents of JSON, most of them passed on from storage as they are.
enum JSONResponse {
    static func response(_ json: JSON, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: json.bytes)
        )
    }

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        response(try JSON(encoding: value), status: status)
    }
}
