import Accounts
import Core
import FoundationEssentials
import Postgres
import Templates

/// One line of a person's timeline, whatever it came from: a change, a message, an import.
package struct ContactMoment: Sendable, ViewRecord {
    /// What a line is about; its raw value stands in addresses.
    package enum Kind: String, Sendable, CaseIterable {
        case change, activity, message, event
        case importing = "import"

        /// Of what happened within the same microsecond, changes come first. Changes and activities stand in one table.
        var rank: Int {
            switch self {
            case .change, .activity: 0
            case .message: 1
            case .event: 2
            case .importing: 3
            }
        }

        var label: String {
            switch self {
            case .change: "Changes"
            case .activity: "Activities"
            case .message: "Messages"
            case .event: "Events"
            case .importing: "Imports"
            }
        }
    }

    package let kind: Kind
    package let title: String
    package let at: Date
    package let icon: String
    package let detail: String?
    package let href: String?
    /// Unique among the moments of its kind; orders those of one instant.
    package let key: String

    package init(
        _ kind: Kind, title: String, at: Date, icon: String, detail: String? = nil, href: String? = nil, key: String
    ) {
        self.kind = kind
        self.title = title
        self.at = at
        self.icon = icon
        self.detail = detail
        self.href = href
        self.key = key
    }

    /// Fields that changed, with the values before and after; said anew where the properties are known.
    var changes: [String: JSONValue] = [:]

    /// The same with labels of properties and options, and moments in the workspace's zone.
    func said(
        _ definitions: [PropertyDefinition], zone: String, names: [String: String] = [:]
    ) -> ContactMoment {
        guard !changes.isEmpty else { return self }
        let known = Dictionary(definitions.map { ($0.name, $0) }) { first, _ in first }
        return ContactMoment(
            kind, title: title, at: at, icon: icon,
            detail: ChangeWords(definitions: known, zone: zone, names: names).words(changes),
            href: href, key: key)
    }

    package static let fields = Fields<ContactMoment> { f in
        f.text("title") { $0.title }
        f.date("at") { $0.at }
        f.text("icon") { $0.icon }
        f.optionalText("detail") { $0.detail }
        f.optionalLink("href") { $0.href }
    }

    var position: MomentPosition { MomentPosition(at: at, kind: kind, key: key) }

    /// A person's messages, or what they did elsewhere, the newest moments first, as one query: it travels together with
    /// the others of the page. They belong to other slices; `Portal` hands this over.
    package typealias Source =
        @Sendable (
            _ contact: ContactID, _ after: MomentPosition?, _ limit: Int, _ scope: WorkspaceScope
        ) -> Query<ContactMoment>

    /// A source without anything.
    package static func nothing(
        _: ContactID, _: MomentPosition?, _: Int, _: WorkspaceScope
    ) -> Query<ContactMoment> {
        Query.values(String.self, "contacts.timeline.nothing", "SELECT '' WHERE false").map { _ in
            ContactMoment(.event, title: "", at: Date(timeIntervalSince1970: 0), icon: "info", key: "")
        }
    }
}

/// A place in a timeline: everything that comes after it is older, or as old and later in order.
package struct MomentPosition: Sendable, Equatable, Comparable {
    let at: Date
    let kind: ContactMoment.Kind
    let key: String

    init(at: Date, kind: ContactMoment.Kind, key: String) {
        self.at = at
        self.kind = kind
        self.key = key
    }

    /// From the keys of a cursor.
    init?(_ keys: [String]) {
        guard keys.count == 3, let micros = Int64(keys[0]), let kind = ContactMoment.Kind(rawValue: keys[1]) else {
            return nil
        }
        self.init(at: Date(timeIntervalSince1970: Double(micros) / 1_000_000), kind: kind, key: keys[2])
    }

    /// Before everything that happened at this moment or later.
    init(before moment: Date) {
        self.init(at: moment, kind: .change, key: "")
    }

    var keys: [String] { [String(micros), kind.rawValue, key] }

    private var micros: Int64 { Int64((at.timeIntervalSince1970 * 1_000_000).rounded()) }

    /// Whether this comes before the other in a timeline: newer, or as new and earlier in order.
    package static func < (one: MomentPosition, other: MomentPosition) -> Bool {
        if one.micros != other.micros { return one.micros > other.micros }
        if one.kind.rank != other.kind.rank { return one.kind.rank < other.kind.rank }
        return one.key > other.key
    }

    /// ` AND …` for the rows of a kind that come after this place.
    /// - Parameters:
    ///   - time: the column with the moment.
    ///   - key: the text that is the moment's key, in the order of bytes.
    package func condition(for kind: ContactMoment.Kind, time: SQL, key: SQL) -> SQL {
        if kind.rank < self.kind.rank { return " AND \(time) < \(at)::timestamptz" }
        if kind.rank > self.kind.rank { return " AND \(time) <= \(at)::timestamptz" }
        return " AND (\(time), \(key)) < (\(at)::timestamptz, \(self.key)::text)"
    }
}
