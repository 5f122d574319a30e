import Core
import FoundationEssentials
import Postgres

/// A table with data about single people, as its slice describes it: what a person's export says of it, and what becomes of
/// it when the person is erased. A test finds every table with a `contact_id` that nobody described.
package struct PersonalTable: Sendable {
    /// The person an export or an erasure is about.
    package struct Person: Sendable {
        package let workspace: WorkspaceID
        package let contact: ContactID
        /// Stands where a count needs somebody: the same for all rows of one erased person, and known to nobody.
        package let replacement: ContactID
        package let emailKey: String?
        package let phone: String?
        /// Spellings by which free text names the person without doubt: address, number, full name. Lower case.
        package let spellings: [String]
        /// First and last name, lower case; empty when one of them is not known.
        package let names: [String]
        /// The hashes, in hexadecimal, that stay on the do-not-send list.
        package let suppressionHashes: [String]

        package init(
            workspace: WorkspaceID, contact: ContactID, replacement: ContactID, emailKey: String?, phone: String?,
            spellings: [String], names: [String] = [], suppressionHashes: [String] = []
        ) {
            self.names = names
            self.suppressionHashes = suppressionHashes
            self.workspace = workspace
            self.contact = contact
            self.replacement = replacement
            self.emailKey = emailKey
            self.phone = phone
            self.spellings = spellings
        }

        /// Whether a text names the person without doubt.
        package func isNamed(in text: SQL) -> SQL {
            "EXISTS (SELECT FROM unnest(\(spellings)) AS s WHERE strpos(lower(\(text)), s) > 0)"
        }

        /// Whether a text may be about the person: it names them without doubt, or has both their names in it, as the cells
        /// of a row have. For what is only kept to be put right, such as rows that failed.
        package func mayBeNamed(in text: SQL) -> SQL {
            """
            (\(isNamed(in: text)) OR (cardinality(\(names)::text[]) > 0 AND NOT EXISTS (
                SELECT FROM unnest(\(names)) AS s WHERE strpos(lower(\(text)), s) = 0)))
            """
        }
    }

    /// What erasing does, for the preview and the certificate.
    package enum Fate: Sendable, Equatable {
        case deleted
        /// Rows stay without the person; why.
        case anonymised(String)
        /// Rows stay as they are; why.
        case kept(String)

        package var words: String {
            switch self {
            case .deleted: "Deleted"
            case .anonymised(let why): "Kept without the person: \(why)"
            case .kept(let why): "Kept: \(why)"
            }
        }
    }

    /// The table's name in the database.
    package let name: String
    /// What people call its rows.
    package let title: String
    package let fate: Fate
    /// The person's rows as `jsonb`, at most so many, one column; nil for tables that repeat what others say.
    package let rows: (@Sendable (Person, _ limit: Int) -> SQL)?
    /// What erasing runs, in order.
    package let erasing: @Sendable (Person) -> [SQL]
    /// Whether `erasing` leaves the hashes of the person's addresses here.
    package let keepsHashes: Bool
    /// Whether something may still be written after an erasure, by a hand-over that was under way: a quarter of an hour
    /// later `erasing` runs again for the replacement.
    package let isCheckedAgain: Bool

    package init(
        _ name: String, title: String, fate: Fate, rows: (@Sendable (Person, Int) -> SQL)? = nil,
        isCheckedAgain: Bool = false, keepsHashes: Bool = false,
        erasing: @escaping @Sendable (Person) -> [SQL]
    ) {
        self.name = name
        self.title = title
        self.fate = fate
        self.isCheckedAgain = isCheckedAgain
        self.keepsHashes = keepsHashes
        self.rows = rows
        self.erasing = erasing
    }

    /// A table whose rows belong to one person each and go with them.
    /// - Parameters:
    ///   - person: the column with the person's id.
    ///   - order: a column; the export follows it.
    ///   - without: columns that only repeat what others say.
    ///   - isExported: false for tables that only repeat what others say.
    package static func owned(
        _ name: String, title: String, person: String = "contact_id", order: String, without: [String] = [],
        isExported: Bool = true
    ) -> PersonalTable {
        let rows = export(name, person: person, order: order, without: without)
        return PersonalTable(name, title: title, fate: .deleted, rows: isExported ? rows : nil) { about in
            [
                """
                DELETE FROM \(identifier: name)
                WHERE workspace_id = \(about.workspace) AND \(identifier: person) = \(about.contact)
                """
            ]
        }
    }

    /// The same export for a table whose rows are not simply deleted.
    package static func export(
        _ name: String, person: String = "contact_id", order: String, without: [String] = []
    ) -> @Sendable (Person, Int) -> SQL {
        { about, limit in
            """
            SELECT to_jsonb(t) - \(["workspace_id"] + without) FROM \(identifier: name) t
            WHERE t.workspace_id = \(about.workspace) AND t.\(identifier: person) = \(about.contact)
            ORDER BY t.\(identifier: order) LIMIT \(limit)
            """
        }
    }
}

/// A condition in SQL: whether the person `c.id` of a workspace did something themselves since a moment.
package typealias SignOfLife = @Sendable (WorkspaceID, Date) -> SQL

/// How long a kind of data is kept, as its slice describes it; the nightly purge removes what is older.
package struct RetentionRule: Sendable {
    /// The name in the settings; never changes.
    package let key: String
    package let title: String
    /// Days, unless the workspace chose otherwise.
    package let standard: Int
    /// The fewest days that make sense.
    package let least: Int
    /// How many rows are older than a moment, one number.
    package let count: @Sendable (WorkspaceID, Date) -> SQL
    /// Removes some of them, at most so many; it is run until it changes nothing.
    package let purge: @Sendable (WorkspaceID, Date, _ limit: Int) -> SQL

    package init(
        _ key: String, title: String, standard: Int, least: Int = 1,
        count: @escaping @Sendable (WorkspaceID, Date) -> SQL,
        purge: @escaping @Sendable (WorkspaceID, Date, Int) -> SQL
    ) {
        self.key = key
        self.title = title
        self.standard = standard
        self.least = least
        self.count = count
        self.purge = purge
    }
}
