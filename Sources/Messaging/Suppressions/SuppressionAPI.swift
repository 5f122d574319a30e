import Accounts
import Core
import FoundationEssentials
import Web

/// Suppressions as JSON.
struct SuppressionAPI: Sendable {
    let services: AppServices

    func add(to routes: inout RouteTable) {
        routes.schema("Suppression", Self.schema)
        routes.api(
            .get, "/v1/suppressions", .viewer,
            APIOperation(
                id: "listSuppressions", tag: "Suppressions", summary: "What gets no campaigns, newest first",
                query: [
                    .init("reason", .string(oneOf: Self.reasons), "Only for this reason."),
                    .init("kind", .string(oneOf: Self.kinds), "Only addresses, domains, numbers, or erased addresses."),
                    .init("q", .string, "It begins so."),
                    .init("state", .string(oneOf: ["active", "lifted"]), "active unless told."),
                ] + APIOperation.paging, response: .page(of: .ref("Suppression")), problems: [422]), list)
        routes.api(
            .post, "/v1/suppressions", .editor,
            APIOperation(
                id: "addSuppression", tag: "Suppressions", summary: "Stop sending to an address, a domain or a number",
                details: "Give one of `email`, `domain`, `phone`. What is suppressed already stays as it is.",
                body: .object([
                    ("email", .email), ("domain", .string(maxLength: 253)), ("phone", .string(maxLength: 40)),
                    ("note", .nullable(.string(maxLength: 500))), ("expiresAt", .nullable(.dateTime)),
                ]), status: 201, response: .ref("Suppression")), add)
        routes.api(
            .delete, "/v1/suppressions/{id}", .admin,
            APIOperation(
                id: "liftSuppression", tag: "Suppressions", summary: "Allow sending again",
                query: [.init("reason", .string(maxLength: 500), "Why, for the record.")], status: 204), lift)
    }

    private func list(_ request: WebRequest) async throws -> WebResponse {
        let filter: SuppressionFilter = try SuppressionRoutes.filter(request.query)
        let (found, next) = try await SuppressionRoutes.find(request, filter, services)
        return try .json(CursorPage(data: found.map(SuppressionResource.init), nextCursor: next))
    }

    private struct Input: StrictInput {
        static let memberNames: Set<String> = ["email", "domain", "phone", "note", "expiresAt"]
        let email: String?
        let domain: String?
        let phone: String?
        let note: String?
        let expiresAt: String?
    }

    private func add(_ request: WebRequest) async throws -> WebResponse {
        let input = try await request.json(Input.self)
        let given: [(SuppressionKind, String)] = [
            (SuppressionKind.email, input.email), (.domain, input.domain), (.phone, input.phone),
        ].compactMap { kind, text in text.map { (kind, $0) } }
        guard given.count == 1, let (kind, text) = given.first else {
            throw ValidationErrors("email", "Give one of email, domain and phone.")
        }
        let typed = SuppressionInput(
            target: text, kind: kind, note: input.note, expires: input.expiresAt, source: "api")
        let new: NewSuppression = try typed.read(now: services.clock.now)
        guard let stored = try await SuppressionActions(services: services).add(new, try request.scope) else {
            throw WebError.notFound
        }
        return try .json(SuppressionResource(stored), status: .created)
    }

    private func lift(_ request: WebRequest) async throws -> WebResponse {
        let reason: String? = request.query.optional("reason").map { String($0.filter { $0 != "\0" }.prefix(500)) }
        let lifted = try await SuppressionActions(services: services)
            .lift(try request.id(), reason: reason, try request.scope)
        guard lifted != nil else { throw WebError.notFound }
        return .empty()
    }

    private static let reasons: [String] = SuppressionReason.allCases.map(\.rawValue)
    private static let kinds: [String] = SuppressionKind.allCases.map(\.rawValue)
    private static let schema = APISchema.object(
        [
            ("id", .id), ("kind", .string(oneOf: kinds)), ("value", .string), ("email", .nullable(.email)),
            ("reason", .string(oneOf: reasons)), ("source", .string), ("note", .nullable(.string)),
            ("contactId", .nullable(.id)), ("messageId", .nullable(.id)), ("createdAt", .dateTime),
            ("expiresAt", .nullable(.dateTime)), ("liftedAt", .nullable(.dateTime)), ("liftReason", .nullable(.string)),
        ],
        required: ["id", "kind", "value", "reason", "source", "createdAt"])
}

struct SuppressionResource: Encodable {
    let id: SuppressionID
    let kind: String
    /// The address, the domain without `@`, the number, or the hash of an erased address.
    let value: String
    let email: String?
    let reason: SuppressionReason
    let source: String
    let note: String?
    let contactId: ContactID?
    let messageId: MessageID?
    let createdAt: Date
    let expiresAt: Date?
    let liftedAt: Date?
    let liftReason: String?

    init(_ suppression: Suppression) {
        id = suppression.id
        kind = suppression.kind.rawValue
        value = suppression.kind == .erased ? suppression.key : suppression.shown
        email = suppression.kind == .email ? suppression.key : nil
        reason = suppression.reason
        source = suppression.source
        note = suppression.note
        contactId = suppression.contact
        messageId = suppression.message
        createdAt = suppression.createdAt
        expiresAt = suppression.expiresAt
        liftedAt = suppression.liftedAt
        liftReason = suppression.liftReason
    }
}
