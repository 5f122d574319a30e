import Accounts
import Contacts
import Core
import FoundationEssentials
import Postgres
import Web

/// Putting addresses, domains and numbers on the do-not-send list and taking them off, each with its entry in the audit log.
struct SuppressionActions: Sendable {
    let services: AppServices

    /// - Returns: the suppression as it stands now; it may have been there before.
    func add(_ new: NewSuppression, _ scope: WorkspaceScope) async throws -> Suppression? {
        try await services.database.write(scope.workspace) { tx in
            let queries = SuppressionQueries(workspace: scope.workspace, tx: tx)
            _ = try await queries.add([new], ids: services.ids, by: scope.actor, now: services.clock.now)
            try await services.audit.record(
                "stopped sending to", subject: SuppressionTarget.shown(new.target.key, new.target.kind),
                href: "/suppressions", details: Self.details(new), by: scope, in: tx)
            return try await queries.active(new.target.key)
        }
    }

    private static func details(_ new: NewSuppression) -> [String: JSONValue] {
        var details: [String: JSONValue] = ["kind": .string(new.target.kind.rawValue)]
        if let note = new.note { details["note"] = .string(note) }
        if let end = new.expiresAt { details["until"] = .string(ISO8601.format(end)) }
        return details
    }

    /// - Returns: what was lifted; nil when there is no such suppression.
    func lift(_ id: SuppressionID, reason: String?, _ scope: WorkspaceScope) async throws -> Suppression? {
        try await services.database.write(scope.workspace) { tx in
            let queries = SuppressionQueries(workspace: scope.workspace, tx: tx)
            guard let found = try await queries.find(id) else { return nil }
            try await queries.lift(found.key, by: scope.actor, words: reason, now: services.clock.now)
            if found.kind == .email { try await allow(found.key, scope, in: tx) }
            try await services.audit.record(
                "allowed sending again to", subject: found.shown, href: "/suppressions",
                details: reason.map { ["reason": .string($0)] } ?? [:], by: scope, in: tx)
            return found
        }
    }

    /// A contact that is marked as bounced would get nothing all the same. Who unsubscribed or complained stays so: only
    /// they can change it.
    private func allow(_ email: String, _ scope: WorkspaceScope, in tx: PostgresTransaction) async throws {
        guard let address = try? EmailAddress(parsing: email),
            let contact = try await ContactLookup.contact(email: address, scope, in: tx),
            contact.emailStatus == .bounced
        else { return }
        try await ContactEmailStatus.set(.active, of: [contact.id], scope, services: services, in: tx)
    }

    /// Lifts everywhere what has come to its end.
    func liftExpired() async throws {
        let workspaces: [WorkspaceID] = try await services.workerDatabase.session { session in
            try await session.values(
                WorkspaceID.self, "messaging.workspaces", "SELECT id FROM marketing_workspaces")
        }
        for workspace in workspaces {
            _ = try await services.workerDatabase.write(workspace) { tx in
                try await SuppressionQueries(workspace: workspace, tx: tx).liftExpired(now: services.clock.now)
            }
        }
    }
}

/// A suppression as it was typed or sent: what, why, and until when.
struct SuppressionInput: Sendable {
    var target: String
    var kind: SuppressionKind?
    var note: String?
    /// A day (`2026-12-31`, to its end in UTC) or a moment; nil or empty: without an end.
    var expires: String?
    var source: String

    func read(now: Date) throws(ValidationErrors) -> NewSuppression {
        var errors = ValidationErrors()
        var parsed: SuppressionTarget?
        do throws(ValidationErrors) {
            parsed = try SuppressionTarget(parsing: target, as: kind)
        } catch {
            for entry in error.entries { errors.add(entry.field, entry.message) }
        }
        if let note, note.count > 500 || note.utf8.contains(0) {
            errors.add("note", "A note has at most 500 characters.")
        }
        var end: Date?
        if let text = expires?.trimmed, !text.isEmpty {
            end = ISO8601.parse(text) ?? ISO8601.parse(text + "T23:59:59Z")
            if end == nil {
                errors.add("expiresAt", "Give a day like 2026-12-31.")
            } else if let day = end, day <= now {
                errors.add("expiresAt", "This day is over.")
            }
        }
        try errors.throwIfAny()
        guard let parsed else { throw ValidationErrors("email", "Give an address, a domain or a number.") }
        let words: String? = note?.trimmed
        return NewSuppression(parsed, source: source, note: words?.isEmpty == true ? nil : words, expiresAt: end)
    }
}
