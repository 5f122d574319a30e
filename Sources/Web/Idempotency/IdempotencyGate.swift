import Core
import FoundationEssentials
import Hummingbird
import Logging

/// Lets a request with an `Idempotency-Key` have its effect once, however often it is sent
/// (draft-ietf-httpapi-idempotency-key-header).
///
/// The key is taken before the handler runs and committed by itself. When a node dies in between, the key stays taken
/// and further requests are told that nobody knows the outcome: better than doing something twice.
struct IdempotencyGate: Sendable {
    let store: IdempotencyStore
    let clock: WallClock
    let logger: Logger

    /// No request is answered for longer than this; what is older was cut off.
    private static let patience: TimeInterval = 900

    /// The key of a request, with the quotes of a structured field taken off; nil when there is none.
    /// - Throws: `WebError` 400 for one that is empty, too long or not visible ASCII.
    static func key(in headers: HTTPFields) throws(WebError) -> String? {
        guard let name = HTTPField.Name.idempotencyKey, let value = headers[name] else { return nil }
        var key = value.trimmed
        if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") { key = String(key.dropFirst().dropLast()) }
        let isVisible = key.utf8.allSatisfy { (33...126).contains($0) }
        guard isVisible, (1...255).contains(key.utf8.count) else {
            throw .badRequest(
                "Idempotency-Key must have 1 to 255 visible ASCII characters.", code: "bad_idempotency_key")
        }
        return key
    }

    /// Runs the handler, or gives the answer that an earlier request with this key got.
    /// - Parameters:
    ///   - refusal: turns an error of the handler into the answer the client gets.
    ///   - handler: given the body whose bytes are counted.
    func answer(
        _ claim: IdempotencyClaim, body: RequestBodyStream, mayDrain: Bool,
        refusal: (any Error) -> WebResponse, handler: (RequestBodyStream) async throws -> WebResponse
    ) async throws -> WebResponse {
        switch try await store.claim(claim) {
        case .new:
            return try await first(claim, body: body, mayDrain: mayDrain, refusal: refusal, handler: handler)
        case .unanswered(let target, let since):
            guard target == claim.target else { throw Self.reused }
            throw clock.now.timeIntervalSince(since) < Self.patience ? Self.running : Self.outcomeUnknown
        case .answered(let target, let answer):
            guard target == claim.target, try await isSame(body, as: answer) else { throw Self.reused }
            return Self.replay(answer)
        }
    }

    private func first(
        _ claim: IdempotencyClaim, body: RequestBodyStream, mayDrain: Bool,
        refusal: (any Error) -> WebResponse, handler: (RequestBodyStream) async throws -> WebResponse
    ) async throws -> WebResponse {
        let digest = BodyDigest()
        let counted = body.counted(by: digest)
        let answer: WebResponse
        do {
            answer = try await handler(counted)
        } catch is CancellationError {
            // It was cut off at a moment we cannot know: the key stays taken.
            throw CancellationError()
        } catch {
            answer = refusal(error)
        }
        if mayDrain, digest.isUntouched { await drain(counted) }
        guard Self.isFinal(answer.status), digest.isWhole || answer.status.code < 400,
            let body = answer.storableBody
        else {
            await settle("released") { [store] in try await store.release(claim) }
            return answer
        }
        let headers = answer.headers.map { (name: $0.name.rawName, value: $0.value) }
        let (hash, length) = digest.result
        let kept = IdempotentAnswer(
            requestHash: hash, requestLength: length, status: answer.status.code, headers: headers, body: body)
        await settle("kept") { [store] in try await store.keep(claim, kept) }
        return answer
    }

    /// Reads a body that the handler had no use for, so that its hash is known.
    private func drain(_ body: RequestBodyStream) async {
        do {
            for try await _ in body {}
        } catch {
            logger.debug("an unused body could not be read", metadata: ["error": .string("\(error)")])
        }
    }

    /// Errors of the server, and refusals that say "later", are worth another try.
    private static func isFinal(_ status: HTTPResponse.Status) -> Bool {
        status.code < 500 && ![408, 425, 429].contains(status.code)
    }

    /// Writes what became of a key even when the client has gone. A failure is logged, not answered: the handler's work
    /// is done, and a key without an answer is safe.
    private func settle(_ deed: String, _ write: @escaping @Sendable () async throws -> Void) async {
        do {
            try await Task { try await write() }.value
        } catch {
            logger.error("an idempotency key could not be \(deed)", metadata: ["error": .string("\(error)")])
        }
    }

    /// Compares a body with the one that was answered, without keeping it and no further than it is long.
    private func isSame(_ body: RequestBodyStream, as answer: IdempotentAnswer) async throws -> Bool {
        let digest = BodyDigest()
        for try await _ in body.counted(by: digest) where digest.result.length > answer.requestLength { return false }
        let (hash, length) = digest.result
        return length == answer.requestLength && hash == answer.requestHash
    }

    private static func replay(_ answer: IdempotentAnswer) -> WebResponse {
        var headers: HTTPFields = [:]
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        if let name = HTTPField.Name.idempotencyReplayed { headers[name] = "true" }
        let status = HTTPResponse.Status(code: answer.status)
        return WebResponse(
            status: status, headers: headers, isTagged: status == .ok,
            content: answer.body.isEmpty ? .empty : .bytes(answer.body))
    }

    private static let running = WebError(
        .conflict, code: "idempotency_running",
        detail: "The first request with this Idempotency-Key is still being answered.", headers: [.retryAfter: "1"])

    private static let outcomeUnknown = WebError(
        .conflict, code: "idempotency_outcome_unknown",
        detail:
            "The first request with this Idempotency-Key was cut off. See whether it had its effect; use a new key."
    )

    private static let reused = WebError(
        .unprocessableContent, code: "idempotency_key_reused",
        detail: "This Idempotency-Key was used for another request. Use a new key for each.")
}

extension HTTPField.Name {
    package static let idempotencyKey = HTTPField.Name("Idempotency-Key")
    package static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed")
}
