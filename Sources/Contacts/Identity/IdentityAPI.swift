import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// Finding people by what is known of them, as JSON.
struct IdentityAPI: Sendable {
    let services: AppServices

    private var resolver: IdentityResolver { IdentityResolver(services) }

    func add(to routes: inout RouteTable) {
        routes.schema("IdentityMatch", Self.schema)
        routes.schema("PersonClues", Self.cluesSchema)
        let query: [APIOperation.Parameter] = [
            .init("userId", .string(maxLength: 200), "The id of their account with the host product (100)."),
            .init("externalId", .string(maxLength: 200), "Their id in another system (100)."),
            .init("externalSource", .string(maxLength: 100), "The system that gave the external id."),
            .init("email", .email, "Their address (95)."), .init("phone", .string, "Their number (85)."),
        ]
        routes.api(
            .get, "/v1/contacts/resolve", .viewer,
            APIOperation(
                id: "findContactByIdentity", tag: "Contacts", summary: "Find a contact by what is known of them",
                details: "The strongest clue wins; 404 when nobody fits. Changes nothing.", query: query,
                response: .ref("IdentityMatch"), problems: [404, 422]), find)
        routes.api(
            .post, "/v1/contacts/resolve", .editor,
            APIOperation(
                id: "resolveContact", tag: "Contacts", summary: "Find a contact, or make one",
                details: "Fills blanks and links ids that nobody had; never takes anything from somebody else.",
                body: .ref("PersonClues"), response: .ref("IdentityMatch")), resolve)
    }

    /// The answer.
    struct Resource: Encodable, Sendable {
        struct Conflict: Encodable, Sendable {
            let contactId: ContactID
            let matchedBy: IdentifierKind
            let confidence: Int
        }

        let contactId: ContactID
        let created: Bool
        let matchedBy: IdentifierKind?
        let confidence: Int?
        let conflicts: [Conflict]

        init(_ match: IdentityMatch) {
            contactId = match.contact
            created = match.isNew
            matchedBy = match.matchedBy
            confidence = match.matchedBy?.confidence
            conflicts = match.conflicts.map {
                Conflict(contactId: $0.contact, matchedBy: $0.kind, confidence: $0.kind.confidence)
            }
        }

        private enum CodingKeys: String, CodingKey { case contactId, created, matchedBy, confidence, conflicts }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(contactId, forKey: .contactId)
            try container.encode(created, forKey: .created)
            try container.encode(matchedBy, forKey: .matchedBy)
            try container.encode(confidence, forKey: .confidence)
            try container.encode(conflicts, forKey: .conflicts)
        }
    }

    private func find(_ request: WebRequest) async throws -> WebResponse {
        var json: [String: JSONValue] = [:]
        for name in ["userId", "externalId", "externalSource", "email", "phone"] {
            if let text = request.query.optional(name) { json[name] = .string(text) }
        }
        let scope = try request.scope
        let clues: PersonClues = try Self.clues(json)
        let match: IdentityMatch?? = try await services.database.read(scope.workspace) { transaction in
            try await resolver.find([clues], scope, in: transaction).first
        }
        guard case .some(.some(let found)) = match else { throw WebError.notFound }
        return try .json(Resource(found))
    }

    private func resolve(_ request: WebRequest) async throws -> WebResponse {
        let clues: PersonClues = try Self.clues(try await request.json([String: JSONValue].self))
        guard let match = try await resolver.resolve(clues, source: "api", try request.scope) else {
            throw WebError.notFound
        }
        return try .json(Resource(match))
    }

    private static func clues(_ json: [String: JSONValue]) throws(ValidationErrors) -> PersonClues {
        var errors = ValidationErrors()
        let clues: PersonClues = CluesInput.read(json, &errors)
        if errors.isEmpty, clues.isEmpty {
            errors.add("email", "Give a user id, an external id, an e-mail address or a phone number.")
        }
        try errors.throwIfAny()
        return clues
    }

    private static let kinds: APISchema = .string(oneOf: IdentifierKind.allCases.map(\.rawValue))

    private static let schema: APISchema = .object(
        [
            ("contactId", .id), ("created", .boolean), ("matchedBy", .nullable(kinds)),
            ("confidence", .nullable(.integer(minimum: 0, maximum: 100))),
            (
                "conflicts",
                .array(
                    of: .object(
                        [("contactId", .id), ("matchedBy", kinds), ("confidence", .integer)],
                        required: ["contactId", "matchedBy", "confidence"]))
            ),
        ], required: ["contactId", "created", "matchedBy", "confidence", "conflicts"])

    private static let cluesSchema: APISchema = .object([
        ("userId", .string(maxLength: 200)), ("externalId", .string(maxLength: 200)),
        ("externalSource", .string(maxLength: 100)),
        (
            "externalIds",
            .array(of: .object([("source", .string), ("value", .string)], required: ["value"]), maxItems: 20)
        ),
        ("email", .email), ("phone", .string), ("firstName", .string(maxLength: 200)),
        ("lastName", .string(maxLength: 200)), ("properties", .map(of: .any)),
    ])
}
