import Core
import FoundationEssentials
import Postgres

/// A company that people belong to.
package struct Company: Sendable, Equatable {
    package let id: CompanyID
    package var name: String
    /// Lower case, ASCII, without “www.”: what people are matched by.
    package var domain: String?
    package var phone: String?
    package var website: String?
    package var ownerID: UserID?
    package var properties: [String: JSONValue]
    package var source: String?
    package var contactCount: Int
    package let createdAt: Date
    package var updatedAt: Date
    package var version: Int

    /// What `ETag`, `If-Match` and edit forms carry.
    package var revision: String { String(version) }
}

extension Company: PostgresRow {
    package static let columns: SQL = """
        m.id, m.name, m.domain, m.phone, m.website, m.owner_id, m.properties, m.source, m.contact_count, m.created_at,
        m.updated_at, m.version
        """

    package init(row: inout RowReader) throws {
        id = try row.next()
        name = try row.next()
        domain = try row.next()
        phone = try row.next()
        website = try row.next()
        ownerID = try row.next()
        if case .object(let members) = try row.next(JSONValue.self) { properties = members } else { properties = [:] }
        source = try row.next()
        contactCount = try row.next()
        createdAt = try row.next()
        updatedAt = try row.next()
        version = try row.next()
    }
}

/// The domain of a company.
package struct CompanyDomain: Sendable, Hashable {
    /// Lower case, ASCII, without “www.”.
    package let text: String

    /// Reads a domain or the address of a website: `https://www.Acme.com/about` is `acme.com`. Nil for what is no domain.
    package init?(_ given: String) {
        var text: Substring = given.trimmed.lowercased()[...]
        if let scheme = text.range(of: "://") { text = text[scheme.upperBound...] }
        text = text.prefix { !"/?#:".contains($0) }
        if text.hasPrefix("www.") { text = text.dropFirst(4) }
        while text.hasSuffix(".") { text = text.dropLast() }
        guard text.contains("."), !text.contains("@"), let address = try? EmailAddress(parsing: "x@\(text)") else {
            return nil
        }
        self.text = String(address.key.dropFirst(2))
    }

    /// The domain of an e-mail address; nil when it is one where anybody can have an address.
    package init?(ofAddress address: EmailAddress) {
        guard let at = address.key.lastIndex(of: "@") else { return nil }
        var domain: Substring = address.key[address.key.index(after: at)...]
        if domain.hasPrefix("www.") { domain = domain.dropFirst(4) }
        guard !FreeMailDomains.contains(String(domain)) else { return nil }
        text = String(domain)
    }

    /// Whether anybody can have an address here, so that it says nothing of a company.
    package var isFreeMail: Bool { FreeMailDomains.contains(text) }
}
