@_exported import HTTPTypes

/// A refusal with an HTTP meaning, for handlers. What an action refuses is its own return value, not one of these.
package struct WebError: Error, Sendable, Equatable {
    package let status: HTTPResponse.Status
    /// A stable machine word for API clients.
    package let code: String
    /// Safe to show to whoever asked.
    package let detail: String
    package var headers: HTTPFields = [:]

    package init(_ status: HTTPResponse.Status, code: String, detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
    }

    /// Absent, or another workspace's: the answer is the same.
    package static let notFound = WebError(
        .notFound, code: "not_found", detail: "There is nothing here, or it is not yours to see.")

    package static let forbidden = WebError(
        .forbidden, code: "forbidden",
        detail: "Your role does not allow this. Ask an owner or an admin of the workspace.")

    package static func badRequest(_ detail: String, code: String = "bad_request") -> WebError {
        WebError(.badRequest, code: code, detail: detail)
    }

    package static func conflict(_ detail: String, code: String = "conflict") -> WebError {
        WebError(.conflict, code: code, detail: detail)
    }

    package static func tooLarge(limit: Int) -> WebError {
        WebError(.contentTooLarge, code: "too_large", detail: "The request is larger than \(limit) bytes.")
    }

    package static func unsupportedMediaType(expected: String) -> WebError {
        WebError(.unsupportedMediaType, code: "unsupported_media_type", detail: "Send \(expected).")
    }

    package static func preconditionFailed(_ detail: String) -> WebError {
        WebError(.preconditionFailed, code: "precondition_failed", detail: detail)
    }

    /// - Parameter policy: the limit that was reached.
    package static func tooManyRequests(retryAfter seconds: Int, policy: RateLimitPolicy) -> WebError {
        WebError(
            .tooManyRequests, code: "too_many_requests",
            detail: "Too many tries (\(policy.name)). Wait \(seconds) seconds and try again.",
            headers: policy.headers(remaining: 0, reset: seconds) + [.retryAfter: String(seconds)])
    }

    package static func unavailable(_ detail: String, retryAfter seconds: Int) -> WebError {
        WebError(.serviceUnavailable, code: "unavailable", detail: detail, headers: [.retryAfter: String(seconds)])
    }
}
