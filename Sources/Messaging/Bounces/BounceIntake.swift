import Accounts
import Contacts
import Core
import FoundationEssentials
import Mail
import Postgres
import Tracking

/// Takes in what comes back by mail: bounces and complaints find their message, settle it, and suppress its address when
/// that follows. The same report again changes nothing.
package struct BounceIntake: Sendable {
    package enum Outcome: Sendable, Equatable {
        case bounced(MessageID, BounceClass)
        case complained(MessageID)
        /// A report of this kind is known of the message.
        case repeated(MessageID)
        /// Nothing follows from it; why, in words.
        case ignored(String)
        /// The message is known but its hand-over is not written down yet: bring the report again later.
        case tooEarly(MessageID)
        /// It names no message of this portal.
        case unknown
    }

    let services: AppServices
    let identifier: BouncedMessageFinder

    /// Reports about older messages are written down but suppress nobody: much may have changed since.
    static let suppressionDays = 14

    init(services: AppServices, links: LinkFactory) {
        self.services = services
        identifier = BouncedMessageFinder(links: links)
    }

    /// - Parameters:
    ///   - message: the mail as it came; what lies beyond `BounceReport.sizeLimit` is not looked at.
    ///   - recipient: the address that it was delivered to, where the mail server says so.
    /// - Throws: `PostgresError` while the database cannot take it; try again later.
    package func take(_ message: [UInt8], recipient: String? = nil) async throws -> Outcome {
        let report = BounceReport(parsing: message)
        guard let named = identifier.find(report, recipient: recipient),
            let workspace = try await services.directory.workspace(routingKey: named.message.routingKey)
        else {
            // Letters from people and their machines are let go without a word; an answer would go to somebody innocent.
            let isLetter: Bool = report.content == .other && report.hasEmptyReturnPath == false
            return isLetter ? .ignored("This is a letter, not a report.") : .unknown
        }
        switch report.content {
        case .other: return .ignored("This is no report about the delivery of a message.")
        case .delivery(let recipients):
            return try await bounce(recipients, report, of: named, workspace: workspace)
        case .feedback(let feedback):
            guard feedback.type == "abuse" else {
                return .ignored("Feedback of the type “\(feedback.type)” is no complaint.")
            }
            return try await complain(feedback, report, about: named, workspace: workspace)
        }
    }

    // MARK: Bounces

    private func bounce(
        _ recipients: [BounceReport.Recipient], _ report: BounceReport, of named: BouncedMessageFinder.Named,
        workspace: WorkspaceID
    ) async throws -> Outcome {
        let failed: [BounceReport.Recipient] = recipients.filter { $0.action == .failed }
        guard !failed.isEmpty else { return .ignored("The report says that the message is late or has arrived.") }
        let now: Date = services.clock.now
        return try await services.workerDatabase.write(workspace) { tx in
            let queries = BounceQueries(workspace: workspace, tx: tx)
            guard let message = try await queries.locked(named.message) else { return named.absent }
            let own: BounceReport.Recipient? = failed.first { message.isAddressed(to: $0) }
            guard let recipient = own ?? (named.isProven ? failed.first : nil) else { return .unknown }
            switch message.state {
            case .sent, .delivered, .uncertain: break
            case .bounced, .failed: return .repeated(message.id)
            case .pending, .sending, .retry: return .tooEarly(message.id)
            case .skipped, .cancelled: return .ignored("The message was never handed over.")
            }
            let verdict: BounceVerdict = recipient.verdict
            try await queries.settle(message, reason: Self.reason(verdict), words: recipient.words, now: now)
            try await record(
                .bounce, message, verdict: verdict.bounceClass.rawValue,
                rule: "\(verdict.rule) v\(BounceClassifier.version)", report, workspace, in: tx, now: now)
            if !message.isOld(at: now) {
                try await suppress(message, verdict.bounceClass, workspace, in: tx, now: now)
            }
            return .bounced(message.id, verdict.bounceClass)
        }
    }

    private static func reason(_ verdict: BounceVerdict) -> MessageReason {
        switch verdict.bounceClass {
        case .hard: .hardBounce
        case .soft: .softBounce
        case .block, .config: .blocked
        case .unknown: .providerRejected
        }
    }

    private func suppress(
        _ message: BouncedMessage, _ bounceClass: BounceClass, _ workspace: WorkspaceID, in tx: PostgresTransaction,
        now: Date
    ) async throws {
        switch bounceClass {
        case .hard:
            try await suppress(
                message, .hardBounce, status: .bounced, detail: "A message came back: the address does not work.",
                workspace, in: tx, now: now)
        case .soft, .unknown:
            try await SoftBounces(services: services)
                .suppress([message.id], workspace: workspace, isReported: true, in: tx, now: now)
        case .block, .config: break
        }
    }

    // MARK: Complaints

    private func complain(
        _ feedback: BounceReport.Feedback, _ report: BounceReport, about named: BouncedMessageFinder.Named,
        workspace: WorkspaceID
    ) async throws -> Outcome {
        let now: Date = services.clock.now
        return try await services.workerDatabase.write(workspace) { tx in
            let queries = BounceQueries(workspace: workspace, tx: tx)
            guard let message = try await queries.locked(named.message) else { return named.absent }
            guard named.isProven || feedback.originalRecipients.contains(where: { message.isAddress($0) }) else {
                return .unknown
            }
            if try await DeliveryEvent.exists(.complaint, of: message.id, workspace: workspace, in: tx) {
                return .repeated(message.id)
            }
            try await record(
                .complaint, message, verdict: feedback.type, rule: "report", report, workspace, in: tx, now: now)
            try await suppress(
                message, .complaint, status: .complained, detail: "Marked a message as spam.", workspace, in: tx,
                now: now)
            return .complained(message.id)
        }
    }

    // MARK: Both

    private func record(
        _ kind: DeliveryEvent.Kind, _ message: BouncedMessage, verdict: String, rule: String, _ report: BounceReport,
        _ workspace: WorkspaceID, in tx: PostgresTransaction, now: Date
    ) async throws {
        let event = DeliveryEvent(
            id: services.ids.next(), message: message.id, contact: message.contact, kind: kind, occurredAt: now,
            verdict: verdict, rule: rule, reporter: BounceQueries.clean(report.reporter ?? ""))
        try await event.insert(workspace: workspace, in: tx)
    }

    private func suppress(
        _ message: BouncedMessage, _ reason: SuppressionReason, status: EmailStatus, detail: String,
        _ workspace: WorkspaceID, in tx: PostgresTransaction, now: Date
    ) async throws {
        guard let key = message.address?.key else { return }
        try await SuppressionQueries(workspace: workspace, tx: tx).add(
            key, reason: reason, source: "report", contact: message.contact, message: message.id,
            id: services.ids.next(), now: now)
        let scope = WorkspaceScope(workspace: workspace)
        let person: ContactID? = try await ContactEmailStatus.set(
            status, ofAddress: key, data: ["detail": .string(detail)], scope, services: services, in: tx)
        guard reason == .complaint, let person else { return }
        let decision = ConsentDecision(
            .withdrawn, source: "complaint", by: .provider,
            evidence: ["message": .string(message.id.description)])
        try await ConsentLedger(services).record(decision, of: person, onlyIfNew: true, scope, in: tx)
    }
}
