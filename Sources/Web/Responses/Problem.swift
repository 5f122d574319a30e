import Core
import Hummingbird

/// An error of the JSON face (RFC 9457).
struct Problem: Encodable, Sendable {
    struct Entry: Encodable, Sendable {
        let pointer: String
        let message: String
    }

    let type: String
    let title: String
    let status: Int
    let detail: String
    let code: String
    /// The path that was asked for.
    let instance: String
    let requestId: String
    let errors: [Entry]?

    init(_ error: WebError, requestID: String, path: String) {
        type = "/docs/problems#\(error.code)"
        title = error.status.reasonPhrase
        status = error.status.code
        detail = error.detail
        code = error.code
        instance = path
        requestId = requestID
        errors = nil
    }

    init(_ invalid: ValidationErrors, requestID: String, path: String) {
        type = "/docs/problems#validation"
        title = "Some values are not valid"
        status = HTTPResponse.Status.unprocessableContent.code
        detail = invalid.entries.first.map(\.message) ?? "Some values are not valid."
        code = "validation"
        instance = path
        requestId = requestID
        errors = invalid.entries.map { Entry(pointer: "/\($0.field)", message: $0.message) }
    }
}
