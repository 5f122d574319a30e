import Contacts
import Core
import FoundationEssentials
import Postgres

/// All that a rule asks of one person.
struct PersonFacts: Sendable {
    var person: PersonRow
    /// Of the lists that the rule mentions, those that the person is on.
    var lists: Set<UUID> = []
    /// What the person did, for each behaviour of the rule.
    var deeds: [RuleBehaviour: [Deed]] = [:]

    struct Deed: Sendable, Equatable {
        let at: Date
        var kind = ""
        var isHuman = true
        var link: String?
        var isOfCampaign = true
        var properties: [String: JSONValue] = [:]
    }
}

/// A person and their company as they are stored.
struct PersonRow: PostgresRow, Sendable {
    static let columns: SQL = """
        c.id, c.email_key, c.phone, c.first_name, c.last_name, c.tags, c.email_status, c.source, c.created_at,
        c.tracking_allowed, c.email_opt_in, c.sms_opt_in, c.properties, c.company_id, k.name, k.domain, k.phone, k.website,
        k.owner_id, k.created_at, k.properties
        """

    var id: ContactID
    var emailKey: String?
    var phone: String?
    var firstName: String?
    var lastName: String?
    var tags: [String]
    var emailStatus: String
    var source: String?
    var createdAt: Date
    var trackingAllowed: Bool
    var emailOptIn: Bool?
    var smsOptIn: Bool?
    var properties: [String: JSONValue]
    var company: UUID?
    /// Nil without a company, and for one that was deleted.
    var companyRow: CompanyRow?

    struct CompanyRow: Sendable {
        var name: String?
        var domain: String?
        var phone: String?
        var website: String?
        var owner: UUID?
        var createdAt: Date
        var properties: [String: JSONValue]
    }

    init(row: inout RowReader) throws {
        id = try row.next()
        emailKey = try row.next()
        phone = try row.next()
        firstName = try row.next()
        lastName = try row.next()
        tags = try row.next()
        emailStatus = try row.next()
        source = try row.next()
        createdAt = try row.next()
        trackingAllowed = try row.next()
        emailOptIn = try row.next()
        smsOptIn = try row.next()
        properties = Self.members(try row.next(JSONValue.self))
        company = try row.next()
        let (name, domain, phone, website): (String?, String?, String?, String?) = (
            try row.next(), try row.next(), try row.next(), try row.next()
        )
        let owner: UUID? = try row.next()
        let since: Date? = try row.next()
        let own: JSONValue? = try row.next()
        companyRow = since.map { date in
            CompanyRow(
                name: name, domain: domain, phone: phone, website: website, owner: owner, createdAt: date,
                properties: own.map(Self.members) ?? [:])
        }
    }

    static func members(_ json: JSONValue) -> [String: JSONValue] {
        guard case .object(let members) = json else { return [:] }
        return members
    }
}
