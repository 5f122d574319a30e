import Core
import FoundationEssentials
import Postgres
import Web

/// What a look at the chain over a workspace's audit log found.
package struct AuditCheck: Sendable, Equatable, PostgresRow {
    package let checkedAt: Date
    /// Entries in the chain.
    package let entries: Int
    /// When the chain was last found intact.
    package let intactAt: Date?
    package let isBroken: Bool
    package let faults: Faults

    package static let columns: SQL = "checked_at, entries, intact_at, is_broken, faults"

    package init(row: inout RowReader) throws {
        checkedAt = try row.next()
        entries = try row.next()
        intactAt = try row.next()
        isBroken = try row.next()
        faults = Faults(try row.next() as JSONValue)
    }

    init(checkedAt: Date, entries: Int, intactAt: Date?, faults: Faults) {
        self.checkedAt = checkedAt
        self.entries = entries
        self.intactAt = intactAt
        isBroken = !faults.isEmpty
        self.faults = faults
    }

    /// How many entries are not what they were, by what happened to them.
    package struct Faults: Sendable, Equatable {
        /// Their content is another one.
        package var changed: Int = 0
        /// They are gone, from the middle or from the end.
        package var removed: Int = 0
        /// They came in past the portal.
        package var added: Int = 0
        /// Links of the chain itself do not fit the one before.
        package var unlinked: Int = 0
        /// When the first of them happened, as far as that is known.
        package var firstAt: Date?

        package init() {}

        package var isEmpty: Bool { changed == 0 && removed == 0 && added == 0 && unlinked == 0 }

        init(_ json: JSONValue) {
            func count(_ name: String) -> Int {
                if case .int(let count)? = json[name] { return count }
                return 0
            }
            changed = count("changed")
            removed = count("removed")
            added = count("added")
            unlinked = count("unlinked")
            firstAt = json["firstAt"]?.stringValue.flatMap { ISO8601.parse($0) }
        }

        var json: JSONValue {
            var members: [String: JSONValue] = [
                "changed": .int(changed), "removed": .int(removed), "added": .int(added), "unlinked": .int(unlinked),
            ]
            if let firstAt { members["firstAt"] = .string(ISO8601.format(firstAt)) }
            return .object(members)
        }

        mutating func note(_ moment: Date?) {
            if let moment { firstAt = min(firstAt ?? moment, moment) }
        }

        /// What happened, in sentences.
        var words: [String] {
            func entries(_ count: Int, _ one: String, _ many: String) -> String? {
                count == 0 ? nil : count == 1 ? "1 entry \(one)." : "\(NumberWords.grouped(count)) entries \(many)."
            }
            return [
                entries(changed, "was changed", "were changed"),
                entries(removed, "was removed", "were removed"),
                entries(added, "came in past the portal", "came in past the portal"),
                entries(unlinked, "does not fit the one before", "do not fit the one before"),
            ].compactMap { $0 }
        }
    }
}
