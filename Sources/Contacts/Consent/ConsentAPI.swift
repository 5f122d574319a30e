import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// The consent of a person as JSON: what was decided, how it stands, and the proof.
struct ConsentAPI: Sendable {
    let services: AppServices

    func add(to routes: inout RouteTable) {
        routes.schema("Consent", Self.schema)
        routes.schema("ConsentInput", Self.input)
        routes.api(
            .get, "/v1/contacts/{id}/consents", .viewer,
            APIOperation(
                id: "listConsents", tag: "Consent", summary: "What a contact decided, newest first",
                details: "`standing` says what all decisions come to; null where nothing was ever decided.",
                response: .object(
                    [("data", .array(of: .ref("Consent"))), ("standing", .map(of: .nullable(.boolean)))],
                    required: ["data", "standing"])), list)
        routes.api(
            .post, "/v1/contacts/{id}/consents", .editor,
            APIOperation(
                id: "recordConsent", tag: "Consent", summary: "Record a decision",
                details: """
                    Decisions are added and never changed. The latest wins; a late one, by `occurredAt`, loses to what was \
                    decided after it. A grant lifts no suppression.
                    """,
                body: .ref("ConsentInput"), status: 201, response: .ref("Consent")), record)
        routes.api(
            .get, "/v1/contacts/{id}/consents/evidence", .viewer,
            APIOperation(
                id: "getConsentEvidence", tag: "Consent", summary: "The proof of a contact’s consent",
                response: .map(of: .any)), evidence)
    }

    private func list(_ request: WebRequest) async throws -> WebResponse {
        let (_, records) = try await ConsentReader(services: services).read(try request.id(), try request.scope)
        var standing: [String: Bool?] = [:]
        for channel in ConsentChannel.allCases {
            standing[channel.rawValue] = .some(ConsentStanding(records, channel).isGranted)
        }
        return try .json(Listing(data: records.map(ConsentResource.init), standing: standing))
    }

    private struct Listing: Encodable {
        let data: [ConsentResource]
        let standing: [String: Bool?]
    }

    private func record(_ request: WebRequest) async throws -> WebResponse {
        let id: ContactID = try request.id()
        let input = try await request.json(Input.self)
        let decision: ConsentDecision = try input.decision(now: services.clock.now)
        switch try await ConsentActions(services: services).record(decision, of: id, try request.scope) {
        case .recorded(let record):
            return try .json(ConsentResource(record), status: .created)
        case .missing: throw WebError.notFound
        }
    }

    private func evidence(_ request: WebRequest) async throws -> WebResponse {
        let pack = try await ConsentReader(services: services).evidence(try request.id(), try request.scope)
        return .bytes(pack.json, contentType: "application/json")
    }

    struct Input: StrictInput {
        static let memberNames: Set<String> = [
            "channel", "purpose", "action", "basis", "wording", "source", "actor", "evidence", "occurredAt",
            "expiresAt",
        ]
        let channel: String?
        let purpose: String?
        let action: String?
        let basis: String?
        let wording: String?
        let source: String?
        let actor: String?
        let evidence: [String: JSONValue]?
        let occurredAt: Date?
        let expiresAt: Date?

        func decision(now: Date) throws -> ConsentDecision {
            var errors = ValidationErrors()
            let form = ConsentForm(
                channel: channel ?? "email", purpose: purpose ?? "", action: action ?? "", basis: basis ?? "",
                wording: wording ?? "", actor: actor ?? "staff", source: source ?? "api", occurredAt: occurredAt,
                expiresAt: expiresAt, evidence: evidence ?? [:])
            let decision: ConsentDecision? = form.decision(now: now, &errors)
            try errors.throwIfAny()
            guard let decision else { throw WebError.notFound }
            return decision
        }
    }

    private static let members: [(String, APISchema)] = [
        ("channel", .string(oneOf: ConsentChannel.allCases.map(\.rawValue))), ("purpose", .string(maxLength: 60)),
        ("action", .string(oneOf: ConsentAction.allCases.map(\.rawValue))),
        ("basis", .nullable(.string(maxLength: 100))),
        ("wording", .nullable(.string(maxLength: 10_000))), ("source", .string(maxLength: 200)),
        ("actor", .string(oneOf: ConsentActor.allCases.map(\.rawValue))), ("evidence", .map(of: .any)),
        ("occurredAt", .dateTime), ("expiresAt", .nullable(.dateTime)),
    ]
    static let schema: APISchema = .object(
        [("id", .id)] + members + [("actorId", .nullable(.id)), ("recordedAt", .dateTime), ("retracts", .id)],
        required: ["id", "channel", "purpose", "action", "source", "actor", "occurredAt", "recordedAt"])
    static let input: APISchema = .object(members, required: ["action"])
}

/// A decision as the JSON face shows it.
struct ConsentResource: Encodable, Sendable {
    let id: ConsentID
    let channel: ConsentChannel
    let purpose: String
    let action: ConsentAction
    let basis: String?
    let wording: String?
    let source: String
    let actor: ConsentActor
    let actorId: UserID?
    let evidence: [String: JSONValue]
    let occurredAt: Date
    let expiresAt: Date?
    let recordedAt: Date
    let retracts: ConsentID?

    init(_ record: ConsentRecord) {
        retracts = record.retracts
        id = record.id
        channel = record.decision.channel
        purpose = record.decision.purpose
        action = record.decision.action
        basis = record.decision.basis
        wording = record.decision.wording
        source = record.decision.source
        actor = record.decision.actor
        actorId = record.actorID
        evidence = record.decision.evidence
        occurredAt = record.occurredAt
        expiresAt = record.decision.expiresAt
        recordedAt = record.recordedAt
    }
}

/// A decision as somebody typed it or a program sent it.
struct ConsentForm: Sendable {
    var channel: String
    var purpose: String
    var action: String
    var basis: String
    var wording: String
    var actor: String
    var source: String
    var occurredAt: Date?
    var expiresAt: Date?
    var evidence: [String: JSONValue] = [:]

    /// The actions that can be recorded from outside; the others follow from imports and from time.
    static let actions: [ConsentAction] = [.granted, .confirmed, .withdrawn, .refused]

    /// Nil when something was wrong, which is then in `errors`.
    func decision(now: Date, _ errors: inout ValidationErrors) -> ConsentDecision? {
        let channel: ConsentChannel? = ConsentChannel(rawValue: channel)
        if channel == nil { errors.add("channel", "Choose one of \(Self.list(ConsentChannel.allCases)).") }
        let action: ConsentAction? = ConsentAction(rawValue: action).flatMap { Self.actions.contains($0) ? $0 : nil }
        if action == nil { errors.add("action", "Choose one of \(Self.list(Self.actions)).") }
        let actor: ConsentActor? = ConsentActor(rawValue: actor)
        if actor == nil { errors.add("actor", "Choose one of \(Self.list(ConsentActor.allCases)).") }
        let topic: String = purpose.trimmed.isEmpty ? ConsentDecision.marketing : purpose.trimmed
        if topic.count > 60 { errors.add("purpose", "A purpose has at most 60 characters.") }
        if wording.count > 10_000 { errors.add("wording", "The wording has more than 10,000 characters.") }
        if basis.count > 100 { errors.add("basis", "The basis has more than 100 characters.") }
        if source.trimmed.isEmpty || source.count > 200 { errors.add("source", "A source has 1 to 200 characters.") }
        if [purpose, wording, basis, source].contains(where: { $0.utf8.contains(0) }) {
            errors.add("wording", "The text has a NUL in it.")
        }
        if let occurredAt, occurredAt > now.addingTimeInterval(300) {
            errors.add("occurredAt", "This day has not come yet.")
        }
        if let expiresAt, expiresAt <= (occurredAt ?? now) {
            errors.add("expiresAt", "Consent cannot end before it begins.")
        }
        guard errors.isEmpty, let channel, let action, let actor else { return nil }
        return ConsentDecision(
            action, channel, purpose: topic, basis: basis.trimmed.isEmpty ? nil : basis.trimmed,
            wording: wording.trimmed.isEmpty ? nil : wording, source: source.trimmed, by: actor, evidence: evidence,
            occurredAt: occurredAt, expiresAt: expiresAt)
    }

    private static func list<Choice: RawRepresentable>(_ choices: [Choice]) -> String where Choice.RawValue == String {
        choices.map(\.rawValue).joined(separator: ", ")
    }
}
