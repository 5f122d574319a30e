import Core
import FoundationEssentials
import Postgres
import Web

/// The part of the product a deed belongs to, told from the page of its subject.
package enum AuditArea: String, Sendable, CaseIterable {
    case contacts, companies, lists, campaigns, templates, suppressions, privacy, members, settings, account, other

    init(href: String?) {
        let path: Substring = href?.dropFirst() ?? ""
        let first: Substring = path.split(separator: "/").first ?? ""
        switch first {
        case "settings" where path.hasPrefix("settings/members"): self = .members
        case "settings" where path.hasPrefix("settings/privacy"): self = .privacy
        case "profile", "login": self = .account
        case "segments": self = .lists
        default: self = AuditArea(rawValue: String(first)) ?? .other
        }
    }

    var label: String {
        switch self {
        case .contacts: "Contacts"
        case .companies: "Companies"
        case .lists: "Lists"
        case .campaigns: "Campaigns"
        case .templates: "Templates"
        case .suppressions: "Do not send to"
        case .privacy: "Privacy"
        case .members: "People at work"
        case .settings: "Settings"
        case .account: "Signing in"
        case .other: "Everything else"
        }
    }
}

/// What of the log is looked at: who, in which part, which record, in which period.
struct AuditFilter: Sendable, Equatable {
    var actor: UserID?
    var area: AuditArea?
    /// Part of the record's name or of the deed.
    var text: String?
    /// Days in UTC; `until` is the last one that counts.
    var since: String?
    var until: String?

    private static func moment(_ day: String?, plus seconds: Double) -> Date? {
        day.flatMap { ISO8601.parse($0 + "T00:00:00Z") }?.addingTimeInterval(seconds)
    }

    /// - Throws: `ValidationErrors` for what cannot be understood: a filter is never ignored.
    init(_ query: FormValues) throws(ValidationErrors) {
        var errors = ValidationErrors()
        if let text = query.optional("actor") {
            actor = UserID(text)
            if actor == nil { errors.add("actor", "There is no such person.") }
        }
        if let text = query.optional("area") {
            area = AuditArea(rawValue: text)
            if area == nil { errors.add("area", "There is no such part.") }
        }
        text = query.optional("q").map { String($0.filter { $0 != "\0" }.prefix(200)) }
        since = query.optional("since")
        until = query.optional("until")
        if since != nil, Self.moment(since, plus: 0) == nil { errors.add("since", "Give a day like 2026-01-15.") }
        if until != nil, Self.moment(until, plus: 0) == nil { errors.add("until", "Give a day like 2026-01-15.") }
        try errors.throwIfAny()
    }

    init() {}

    var pairs: [(String, String?)] {
        [
            ("actor", actor?.description), ("area", area?.rawValue), ("q", text), ("since", since), ("until", until),
        ]
    }

    var conditions: SQL {
        var sql: SQL = ""
        if let actor { sql += " AND actor_id = \(actor)" }
        if let area { sql += " AND area = \(area.rawValue)" }
        if let start = Self.moment(since, plus: 0) { sql += " AND occurred_at >= \(start)" }
        if let end = Self.moment(until, plus: 86_400) { sql += " AND occurred_at < \(end)" }
        if let text {
            sql += " AND strpos(lower(concat_ws(' ', action, subject, href)), \(text.lowercased())) > 0"
        }
        return sql
    }
}

/// One deed as it is shown.
struct AuditEntry: PostgresRow {
    let id: Identifier<AuditEntryTag>
    let actor: String
    let action: String
    let subject: String?
    let href: String?
    let details: JSONValue
    let occurredAt: Date
    let area: AuditArea
    let before: JSONValue?
    let after: JSONValue?
    let request: String?
    let network: String?

    static let columns: SQL = """
        id, actor_name, action, subject, href, details, occurred_at, area, before, after, request_id, network
        """

    init(row: inout RowReader) throws {
        id = try row.next()
        actor = try row.next()
        action = try row.next()
        subject = try row.next()
        href = try row.next()
        details = try row.next()
        occurredAt = try row.next()
        area = AuditArea(rawValue: try row.next()) ?? .other
        before = try row.next()
        after = try row.next()
        request = try row.next()
        network = try row.next()
    }

    /// One field that changed, or one detail.
    struct Change: Sendable, Equatable {
        let field: String
        let before: String?
        let after: String?
    }

    /// Field by field what changed, else what explains the deed, in words.
    func changes(_ speech: AuditSpeech) -> [Change] {
        let old: [String: JSONValue] = Self.members(before)
        let new: [String: JSONValue] = Self.members(after)
        if old.isEmpty, new.isEmpty {
            let details: [String: JSONValue] = Self.members(self.details)
            return details.keys.sorted().map { field in
                Change(
                    field: speech.label(field, area), before: nil,
                    after: details[field].map { speech.words($0, field, area) })
            }
        }
        return Set(old.keys).union(new.keys).sorted().map { field in
            Change(
                field: speech.label(field, area), before: speech.words(old[field] ?? .null, field, area),
                after: speech.words(new[field] ?? .null, field, area))
        }
    }

    private static func members(_ value: JSONValue?) -> [String: JSONValue] {
        guard case .object(let members)? = value else { return [:] }
        return members
    }

    /// As files have it: values as they are stored.
    static func words(_ value: JSONValue) -> String {
        switch value {
        case .null: "nothing"
        case .string(let text): text.isEmpty ? "nothing" : text
        case .bool(let flag): flag ? "yes" : "no"
        case .int(let number): String(number)
        case .double(let number): String(number)
        case .array(let values): values.map(words).joined(separator: ", ")
        case .object(let members):
            members.keys.sorted().map { "\($0): \(words(members[$0] ?? .null))" }.joined(separator: ", ")
        }
    }
}
