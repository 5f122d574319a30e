import Accounts
import Core
import FoundationEssentials
import Postgres

/// Recording what people decided, by staff and by programs. The e-mail status goes along, so that lists and filters say
/// the same as the ledger: a no to e-mail makes an active person `unsubscribed`, a yes makes an unsubscribed one active.
struct ConsentActions: Sendable {
    let services: AppServices

    enum Outcome: Sendable {
        case recorded(ConsentRecord)
        case missing
    }

    func record(_ decision: ConsentDecision, of id: ContactID, _ scope: WorkspaceScope) async throws -> Outcome {
        try await services.database.write(scope.workspace) { transaction in
            guard let contact = try await ContactQueries(scope: scope).find(id, in: transaction) else {
                return .missing
            }
            let before: [ConsentRecord] = try await ConsentQueries.history(of: id, scope, in: transaction)
            try await ConsentLedger(services).record(decision, of: id, scope, in: transaction)
            let after: [ConsentRecord] = try await ConsentQueries.history(of: id, scope, in: transaction)
            let known: Set<ConsentID> = Set(before.map(\.id))
            guard let added = after.first(where: { !known.contains($0.id) }) else { return .missing }
            try await follow(decision, contact, after, scope, in: transaction)
            try await ContactTimeline(services).record(
                .consentRecorded, id,
                ["title": .string("\(decision.words): \(decision.action.words.lowercased())")], scope, in: transaction)
            try await services.audit.record(
                "recorded a consent decision of", subject: contact.displayName, href: ContactPaths.contact(id),
                details: [
                    "channel": .string(decision.channel.rawValue), "purpose": .string(decision.purpose),
                    "action": .string(decision.action.rawValue),
                ], by: scope, in: transaction)
            return .recorded(added)
        }
    }

    private func follow(
        _ decision: ConsentDecision, _ contact: Contact, _ history: [ConsentRecord], _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws {
        guard decision.channel == .email, decision.purpose == ConsentDecision.marketing else { return }
        let status: EmailStatus
        switch (ConsentStanding(history, .email).isGranted, contact.emailStatus) {
        case (false?, .active), (false?, .unconfirmed): status = .unsubscribed
        case (true?, .unsubscribed), (true?, .unconfirmed): status = .active
        default: return
        }
        try await ContactEmailStatus.set(status, of: [contact.id], scope, services: services, in: transaction)
    }
}

extension ConsentDecision {
    /// What it is about: “E-mail”, “E-mail: spring news”.
    package var words: String {
        purpose == Self.marketing ? channel.words : "\(channel.words): \(purpose)"
    }
}

extension ContactTimeline.Kind {
    package static let consentRecorded: ContactTimeline.Kind = "contact.consent"
}

/// What an edit of a person by hand or by API decides about consent: changing “unsubscribed” to “active” says that they
/// agreed, and whoever changed it answers for that.
enum ConsentEdits {
    /// - Parameters:
    ///   - contact: the person as they were; nil for a new one.
    ///   - source: `manual`, `api`.
    static func decisions(from contact: Contact?, to values: ContactValues, source: String) -> [ConsentDecision] {
        func decision(_ action: ConsentAction, _ channel: ConsentChannel, _ field: String) -> ConsentDecision {
            ConsentDecision(
                action, channel, basis: action == .granted ? values.consentBasis : nil, source: source, by: .staff,
                evidence: ["edited": .string(field)])
        }
        var decisions: [ConsentDecision] = []
        let isOut: Bool = values.emailStatus == .unsubscribed || values.emailStatus == .complained
        let wasOut: Bool = contact?.emailStatus == .unsubscribed || contact?.emailStatus == .complained
        let wasWaiting: Bool = contact?.emailStatus == .unconfirmed
        if isOut, !wasOut {
            decisions.append(decision(.withdrawn, .email, "emailStatus"))
        } else if wasOut || wasWaiting, values.emailStatus == .active {
            decisions.append(decision(.granted, .email, "emailStatus"))
        } else if values.emailStatus == .active, values.email != nil, let basis = values.consentBasis,
            basis != contact?.consentBasis
        {
            decisions.append(decision(.granted, .email, "consentBasis"))
        }
        if values.trackingAllowed != (contact?.trackingAllowed ?? true) {
            decisions.append(decision(values.trackingAllowed ? .granted : .withdrawn, .tracking, "trackingAllowed"))
        }
        return decisions
    }
}
