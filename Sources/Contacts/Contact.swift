import Core
import FoundationEssentials
import Postgres

/// Whether e-mails may go to a person.
package enum EmailStatus: String, Sendable, Codable, CaseIterable {
    case active, unsubscribed, bounced, complained, unconfirmed

    /// As pages say it.
    package var words: String {
        switch self {
        case .active: "Active"
        case .unsubscribed: "Unsubscribed"
        case .bounced: "Bounced"
        case .complained: "Complained"
        case .unconfirmed: "Not confirmed"
        }
    }

    /// The colour of its pill.
    package var tone: String {
        switch self {
        case .active: "ok"
        case .unsubscribed: "neutral"
        case .bounced, .complained: "danger"
        case .unconfirmed: "warn"
        }
    }
}

extension EmailStatus: PostgresCodable, PostgresArrayElement {}

/// A person in a workspace.
package struct Contact: Sendable, Equatable {
    package let id: ContactID
    package var email: String?
    package var phone: String?
    package var firstName: String?
    package var lastName: String?
    package var properties: [String: JSONValue]
    package var tags: [String]
    package var emailStatus: EmailStatus
    package var trackingAllowed: Bool
    package var consentBasis: String?
    package var source: String?
    package var importID: ContactImportID?
    package var companyID: CompanyID?
    package var createdAt: Date
    package var updatedAt: Date
    package var deletedAt: Date?
    /// Grows with each change; what `If-Match` and edit forms compare.
    package var version: Int
    /// Since when nothing was heard of them; nil: they are active, or new.
    package var inactiveSince: Date?

    /// First and last name; nil when neither is known.
    package var fullName: String? {
        let words: [String] = [firstName, lastName].compactMap { $0 }.filter { !$0.isEmpty }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    /// Names this state of the person: what `ETag`, `If-Match` and edit forms carry. The time is part of it because
    /// undoing an import sets versions back.
    package var revision: String { "\(version).\(Int((updatedAt.timeIntervalSince1970 * 1000).rounded()))" }

    /// What tells them from others in a picker: “Ana Ruiz, ana@example.com”.
    package var nameAndAddress: String {
        let parts: [String] = [fullName, email].compactMap { $0 }
        return parts.isEmpty ? displayName : parts.joined(separator: ", ")
    }

    /// What the person is called on pages: name, else address, else number.
    package var displayName: String {
        fullName ?? email ?? phone ?? "Nameless contact"
    }
}

extension Contact: PostgresRow {
    package static let columns: SQL = """
        c.id, c.email, c.phone, c.first_name, c.last_name, c.properties, c.tags, c.email_status, c.tracking_allowed,
        c.consent_basis, c.source, c.import_id, c.company_id, c.created_at, c.updated_at, c.deleted_at, c.version,
        c.inactive_since
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        email = try row.next()
        phone = try row.next()
        firstName = try row.next()
        lastName = try row.next()
        if case .object(let members) = try row.next(JSONValue.self) { properties = members } else { properties = [:] }
        tags = try row.next()
        emailStatus = try row.next()
        trackingAllowed = try row.next()
        consentBasis = try row.next()
        source = try row.next()
        importID = try row.next()
        companyID = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
        deletedAt = try row.next()
        version = try row.next()
        inactiveSince = try row.next()
    }
}

/// What a list of people shows of each: the columns of a table row.
package struct ContactSummary: Sendable, Equatable, PostgresRow {
    package let id: ContactID
    package let email: String?
    package let phone: String?
    package let firstName: String?
    package let lastName: String?
    package let tags: [String]
    package let emailStatus: EmailStatus
    package let createdAt: Date

    package static let columns: SQL =
        "c.id, c.email, c.phone, c.first_name, c.last_name, c.tags, c.email_status, c.created_at"

    package init(row: inout RowReader) throws {
        id = try row.next()
        email = try row.next()
        phone = try row.next()
        firstName = try row.next()
        lastName = try row.next()
        tags = try row.next()
        emailStatus = try row.next()
        createdAt = try row.next()
    }

    package init(
        id: ContactID, email: String?, phone: String? = nil, firstName: String?, lastName: String?, tags: [String] = [],
        emailStatus: EmailStatus = .active, createdAt: Date
    ) {
        self.id = id
        self.email = email
        self.phone = phone
        self.firstName = firstName
        self.lastName = lastName
        self.tags = tags
        self.emailStatus = emailStatus
        self.createdAt = createdAt
    }

    /// Whether there is more to call them by than an address or a number.
    package var hasName: Bool { !(firstName ?? "").isEmpty || !(lastName ?? "").isEmpty }

    package var name: String? {
        switch (firstName ?? "", lastName ?? "") {
        case ("", ""): nil
        case (let name, ""), ("", let name): name
        case (let first, let last): "\(first) \(last)"
        }
    }
}
