import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// All that happened to a person as one list, the newest first: changes, activities, messages, events, imports. Every
/// source is one query, read through an index by contact, and asked for no more than a page, so that all of them travel
/// together.
struct ContactHistory: Sendable {
    static let pageSize = 50

    let messages: ContactMoment.Source
    let events: ContactMoment.Source
    let scope: WorkspaceScope
    /// The one kind that is wanted; nil: all.
    let kind: ContactMoment.Kind?
    /// What follows this place; nil: from the newest on.
    let after: MomentPosition?
    /// Nothing before this moment.
    let from: Date?

    struct Page: Sendable {
        let moments: [ContactMoment]
        /// The keys of a cursor to what is older; nil at the end.
        let next: [String]?
    }

    /// Changes and activities.
    func records(of contact: ContactID) -> Query<ContactMoment> {
        let limit: Int = wants(.change) || wants(.activity) ? Self.pageSize + 1 : 0
        return Query(
            ContactEvent.self, "contacts.timeline.page",
            ContactTimeline.select(contact, kind, after: after, limit: limit, scope)
        ).map(\.moment)
    }

    func messages(of contact: ContactID) -> Query<ContactMoment> {
        let source: ContactMoment.Source = wants(.message) ? messages : ContactMoment.nothing
        return source(contact, after, Self.pageSize + 1, scope)
    }

    func events(of contact: ContactID) -> Query<ContactMoment> {
        let source: ContactMoment.Source = wants(.event) ? events : ContactMoment.nothing
        return source(contact, after, Self.pageSize + 1, scope)
    }

    /// The import that added the person.
    func origin(of contact: ContactID) -> Query<ContactMoment> {
        wants(.importing) ? ImportMoments.origin(of: contact, scope) : ContactMoment.nothing(contact, nil, 0, scope)
    }

    /// The imports that changed them.
    func imports(of contact: ContactID) -> Query<ContactMoment> {
        wants(.importing) ? ImportMoments.changes(of: contact, scope) : ContactMoment.nothing(contact, nil, 0, scope)
    }

    /// The page out of what the queries found.
    func page(_ found: [ContactMoment]) -> Page {
        var moments: [ContactMoment] = found.filter { moment in
            // Imports are asked for as a whole.
            guard from.map({ moment.at >= $0 }) ?? true else { return false }
            return after.map { $0 < moment.position } ?? true
        }
        moments.sort { $0.position < $1.position }
        let shown = Array(moments.prefix(Self.pageSize))
        return Page(moments: shown, next: moments.count > shown.count ? shown.last?.position.keys : nil)
    }

    /// The page by itself, for those who ask nothing else.
    func page(of contact: ContactID, in transaction: PostgresTransaction) async throws -> Page {
        let (records, messages, events, origin, imports) = try await transaction.pipeline(
            records(of: contact), messages(of: contact), events(of: contact), origin(of: contact), imports(of: contact))
        return page(records + messages + events + origin + imports)
    }

    private func wants(_ one: ContactMoment.Kind) -> Bool { kind == nil || kind == one }
}

/// Which part of a timeline is wanted, as addresses say it: one kind, from a day, to a day (UTC).
struct ContactHistoryFilter: Sendable, Equatable {
    var kind: ContactMoment.Kind?
    var from: String?
    var to: String?

    /// Days that cannot be understood are errors; an unknown kind is everything.
    init(_ values: FormValues, kind name: String = "show") throws(ValidationErrors) {
        kind = values.optional(name).flatMap { ContactMoment.Kind(rawValue: $0) }
        from = values.optional("from")
        to = values.optional("to")
        var errors = ValidationErrors()
        if from != nil, fromDate == nil { errors.add("from", "Give a day like 2026-01-15.") }
        if to != nil, end == nil { errors.add("to", "Give a day like 2026-01-15.") }
        try errors.throwIfAny()
    }

    init(kind: ContactMoment.Kind? = nil) {
        self.kind = kind
    }

    var fromDate: Date? { from.flatMap { ContactFilter(since: $0).sinceDate } }

    /// The end of the last day.
    private var end: Date? { to.flatMap { ContactFilter(since: $0).sinceDate }?.addingTimeInterval(86_400) }

    /// Where to begin: behind the cursor, else at the end of the last day.
    func place(_ cursor: [String]?) -> MomentPosition? {
        cursor.flatMap { MomentPosition($0) } ?? end.map { MomentPosition(before: $0) }
    }

    var pairs: [(String, String?)] { [("show", kind?.rawValue), ("from", from), ("to", to)] }
}
