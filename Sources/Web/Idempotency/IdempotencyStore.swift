import Core
import FoundationEssentials

/// Names one request that a client may repeat: unique per workspace, route and key.
package struct IdempotencyClaim: Sendable {
    package let workspace: WorkspaceID
    /// Method and pattern, such as `POST /v1/contacts`.
    package let route: String
    /// What the client chose, 1 to 255 visible ASCII characters.
    package let key: String
    /// Path and query as they were sent.
    package let target: String
}

/// An answer that is kept, with the body of the request it belongs to.
package struct IdempotentAnswer: Sendable {
    /// SHA-256 of the request's body.
    package let requestHash: [UInt8]
    /// Bytes of the request's body.
    package let requestLength: Int
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]

    package init(
        requestHash: [UInt8], requestLength: Int, status: Int, headers: [(name: String, value: String)], body: [UInt8]
    ) {
        self.requestHash = requestHash
        self.requestLength = requestLength
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Where keys and answers are kept. `Accounts` implements it; `Portal` hands it over.
package struct IdempotencyStore: Sendable {
    /// What is known about a key.
    package enum Found: Sendable {
        /// Nothing: it belongs to this request now, and to no other that comes at the same moment.
        case new
        /// The first request with it has no answer yet.
        case unanswered(target: String, since: Date)
        case answered(target: String, IdempotentAnswer)
    }

    /// Takes the key for this request, or says who has it.
    package let claim: @Sendable (IdempotencyClaim) async throws -> Found
    /// Keeps the answer, for 24 hours at least.
    package let keep: @Sendable (IdempotencyClaim, IdempotentAnswer) async throws -> Void
    /// Gives up a key that has no answer, so that the request may be tried again.
    package let release: @Sendable (IdempotencyClaim) async throws -> Void

    package init(
        claim: @escaping @Sendable (IdempotencyClaim) async throws -> Found,
        keep: @escaping @Sendable (IdempotencyClaim, IdempotentAnswer) async throws -> Void,
        release: @escaping @Sendable (IdempotencyClaim) async throws -> Void
    ) {
        self.claim = claim
        self.keep = keep
        self.release = release
    }
}
