import Accounts
import Core
import FoundationEssentials
import Postgres

/// All that happened to a person as one list, the newest first: changes, messages, imports. Every source is read through
/// an index by contact and asked for no more than a page.
struct ContactHistory: Sendable {
    static let pageSize = 50

    let messages: ContactMoment.Source
    var activity: ContactMoment.Source = { _, _, _, _, _ in [] }
    let scope: WorkspaceScope
    /// The one kind that is wanted; nil: all.
    let kind: ContactMoment.Kind?
    let after: MomentPosition?

    struct Page: Sendable {
        let moments: [ContactMoment]
        /// The keys of a cursor to what is older; nil at the end.
        let next: [String]?
    }

    /// The events, for a pipeline: one more than a page holds; none when other kinds are wanted.
    func events(of contact: ContactID) -> Query<ContactEvent> {
        let limit: Int = wants(.change) ? Self.pageSize + 1 : 0
        return Query(
            ContactEvent.self, "contacts.timeline.page",
            ContactTimeline.select(contact, after: after, limit: limit, scope))
    }

    func page(
        of contact: Contact, events: [ContactEvent], origin: [ImportMoments.Row], in transaction: PostgresTransaction
    ) async throws -> Page {
        var found: [ContactMoment] = events.map(\.moment)
        if wants(.message) {
            found += try await messages(contact.id, after, Self.pageSize + 1, scope, transaction)
        }
        if wants(.event) {
            found += try await activity(contact.id, after, Self.pageSize + 1, scope, transaction)
        }
        if wants(.importing) {
            found += try await ImportMoments.find(contact, origin: origin, scope, in: transaction).filter { moment in
                after.map { $0 < moment.position } ?? true
            }
        }
        found.sort { $0.position < $1.position }
        let shown = Array(found.prefix(Self.pageSize))
        return Page(moments: shown, next: found.count > shown.count ? shown.last?.position.keys : nil)
    }

    private func wants(_ one: ContactMoment.Kind) -> Bool { kind == nil || kind == one }
}
