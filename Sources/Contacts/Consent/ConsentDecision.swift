import Core
import FoundationEssentials
import Postgres

/// What somebody may be asked about.
package enum ConsentChannel: String, Sendable, Codable, CaseIterable {
    case email, sms, tracking, profiling

    /// As pages say it.
    package var words: String {
        switch self {
        case .email: "E-mail"
        case .sms: "Text messages"
        case .tracking: "Opens and clicks"
        case .profiling: "Profiling"
        }
    }
}

/// What was decided. `imported` is somebody else's word for it: it never undoes a no. `retracted` says that an earlier row
/// was a mistake: it no longer counts.
package enum ConsentAction: String, Sendable, Codable, CaseIterable {
    case granted, confirmed, withdrawn, expired, imported, refused, retracted

    package var words: String {
        switch self {
        case .granted: "Agreed"
        case .confirmed: "Confirmed"
        case .withdrawn: "Withdrawn"
        case .expired: "Ran out"
        case .imported: "Imported as agreed"
        case .refused: "Refused"
        case .retracted: "Taken back"
        }
    }

    /// The colour of its pill.
    package var tone: String {
        switch self {
        case .granted, .confirmed: "ok"
        case .imported: "info"
        case .expired, .retracted: "warn"
        case .withdrawn, .refused: "danger"
        }
    }
}

/// Who decided, or wrote the decision down.
package enum ConsentActor: String, Sendable, Codable, CaseIterable {
    case contact, staff, system, provider

    package var words: String {
        switch self {
        case .contact: "The person"
        case .staff: "Somebody at work here"
        case .system: "The portal"
        case .provider: "The mail provider"
        }
    }
}

extension ConsentChannel: PostgresCodable, PostgresArrayElement {}
extension ConsentAction: PostgresCodable, PostgresArrayElement {}
extension ConsentActor: PostgresCodable, PostgresArrayElement {}

package enum ConsentTag {}
package typealias ConsentID = Identifier<ConsentTag>

/// One decision about being written to, before it is in the ledger.
package struct ConsentDecision: Sendable, Equatable {
    /// The purpose that stands for everything a channel is used for.
    package static let marketing: String = "marketing"

    package var channel: ConsentChannel
    /// ``marketing`` for everything, else the name of a topic.
    package var purpose: String
    package var action: ConsentAction
    /// Why we may: `consent_express`, `consent_implied`, `soft_opt_in`, `contract`, `legitimate_interest`, or the basis of
    /// an import.
    package var basis: String?
    /// The very words that were shown.
    package var wording: String?
    /// Where it came from: `import`, `unsubscribe_link`, `one_click`, `complaint`, `manual`, `api`, `sync`, a form's id.
    package var source: String
    package var actor: ConsentActor
    package var evidence: [String: JSONValue]
    /// When it was decided; nil: now. A late one loses to what was decided after it.
    package var occurredAt: Date?
    /// When a grant ends by itself (implied consent).
    package var expiresAt: Date?

    package init(
        _ action: ConsentAction, _ channel: ConsentChannel = .email, purpose: String = ConsentDecision.marketing,
        basis: String? = nil, wording: String? = nil, source: String, by actor: ConsentActor,
        evidence: [String: JSONValue] = [:], occurredAt: Date? = nil, expiresAt: Date? = nil
    ) {
        self.channel = channel
        self.purpose = purpose
        self.action = action
        self.basis = basis
        self.wording = wording
        self.source = source
        self.actor = actor
        self.evidence = evidence
        self.occurredAt = occurredAt
        self.expiresAt = expiresAt
    }
}

/// A decision as it stands in the ledger.
package struct ConsentRecord: Sendable, Equatable, PostgresRow {
    package let id: ConsentID
    package let decision: ConsentDecision
    package let actorID: UserID?
    package let occurredAt: Date
    package let recordedAt: Date
    /// The decision that this row takes back.
    package let retracts: ConsentID?

    package static let columns: SQL = """
        k.id, k.channel, k.purpose, k.action, k.basis, k.wording, k.source, k.actor, k.actor_id, k.evidence, k.occurred_at,
        k.expires_at, k.recorded_at, k.retracts
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        let channel: ConsentChannel = try row.next()
        let purpose: String = try row.next()
        let action: ConsentAction = try row.next()
        let basis: String? = try row.next()
        let wording: String? = try row.next()
        let source: String = try row.next()
        let actor: ConsentActor = try row.next()
        actorID = try row.next()
        var evidence: [String: JSONValue] = [:]
        if case .object(let members) = try row.next(JSONValue.self) { evidence = members }
        occurredAt = try row.next()
        let expiresAt: Date? = try row.next()
        recordedAt = try row.next()
        retracts = try row.next()
        decision = ConsentDecision(
            action, channel, purpose: purpose, basis: basis, wording: wording, source: source, by: actor,
            evidence: evidence, occurredAt: occurredAt, expiresAt: expiresAt)
    }

    package init(
        id: ConsentID, _ decision: ConsentDecision, actorID: UserID? = nil, at date: Date, retracts: ConsentID? = nil
    ) {
        self.id = id
        self.retracts = retracts
        self.decision = decision
        self.actorID = actorID
        occurredAt = decision.occurredAt ?? date
        recordedAt = date
    }
}

/// How somebody stands: what their decisions come to, replayed from the first to the last. The ledger's SQL says the same
/// of the flags that are kept with the person.
package struct ConsentStanding: Sendable, Equatable {
    /// Nil: nothing was ever decided.
    package let isGranted: Bool?
    /// The decision that counts.
    package let decision: ConsentRecord?

    /// The standing for a purpose. The latest decision wins; a no for everything ends older grants of a topic; what was
    /// merely imported never undoes a no; what was taken back was never said.
    package init(_ records: [ConsentRecord], _ channel: ConsentChannel, purpose: String = ConsentDecision.marketing) {
        var granted: Bool?
        var saidNo: Bool = false
        var counting: ConsentRecord?
        let takenBack: Set<ConsentID> = Set(records.compactMap(\.retracts))
        let inOrder: [ConsentRecord] = records.filter {
            $0.decision.channel == channel && $0.decision.action != .retracted && !takenBack.contains($0.id)
        }.sorted(by: Self.precedes)
        for record in inOrder {
            let action: ConsentAction = record.decision.action
            let isNo: Bool = action == .withdrawn || action == .refused
            let concerns: Bool =
                record.decision.purpose == purpose || (isNo && record.decision.purpose == ConsentDecision.marketing)
            guard concerns, !(action == .imported && saidNo) else { continue }
            if action != .imported { saidNo = isNo }
            granted = !isNo && action != .expired
            counting = record
        }
        isGranted = granted
        decision = counting
    }

    private static func precedes(_ left: ConsentRecord, _ right: ConsentRecord) -> Bool {
        if left.occurredAt != right.occurredAt { return left.occurredAt < right.occurredAt }
        if left.recordedAt != right.recordedAt { return left.recordedAt < right.recordedAt }
        return left.id.description < right.id.description
    }
}
